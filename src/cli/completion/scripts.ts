import type { CommandDeclaration } from '../command.ts';
import { toCommands } from '../program.ts';
import { toBashScript } from './bash.ts';
import { toFishScript } from './fish.ts';
import type { Shell } from './shells.ts';
import { toCommandWords } from './words.ts';
import { toZshScript } from './zsh.ts';

/** Built from the same declarations as the help, so it cannot miss a command or a flag. */
export function toScript(shell: Shell, declarations: readonly CommandDeclaration[]): string {
  return scripts[shell](toCommands(declarations).map(toCommandWords));
}

const scripts = { bash: toBashScript, zsh: toZshScript, fish: toFishScript };
