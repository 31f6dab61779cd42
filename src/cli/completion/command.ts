import { Argument } from 'commander';
import type { CommandDeclaration } from '../command.ts';
import { exitStatus } from '../failure.ts';
import { type Shell, shells } from './shells.ts';

/** Prints the completion script for a shell. */
export function createCompletionCommand(
  toDeclarations: () => readonly CommandDeclaration[],
): CommandDeclaration {
  return {
    name: 'completion',
    group: 'This machine',
    summary: 'Print the completion script of a shell',
    guidance: [
      'Put the line of your shell into its startup file:',
      '  ~/.bashrc                   eval "$(bus-mcp completion bash)"',
      '  ~/.zshrc, after compinit    eval "$(bus-mcp completion zsh)"',
      '  ~/.config/fish/config.fish  bus-mcp completion fish | source',
    ].join('\n'),
    readers: [],
    declare: (command) => {
      command.addArgument(new Argument('<shell>', 'Which shell').choices(shells));
    },
    async run({ operands, terminal }) {
      const { toScript } = await import('./scripts.ts');
      await terminal.print(toScript(operands[0] as Shell, toDeclarations()).trimEnd());
      return exitStatus.done;
    },
  };
}
