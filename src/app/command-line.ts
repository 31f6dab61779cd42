import { runCommandLine } from '../cli/main.ts';
import { toWholeWriter } from '../cli/terminal.ts';
import { actions } from './actions.ts';
import { careCommands } from './care-commands.ts';
import { localCommands } from './local-commands.ts';
import { version } from './version.ts';

/** Runs the command that was typed and returns the exit status. */
export function runCommand(descriptors: readonly number[]): Promise<number> {
  return runCommandLine({
    argv: process.argv.slice(2),
    environment: process.env,
    descriptors,
    output: toWholeWriter(process.stdout),
    errorOutput: toWholeWriter(process.stderr),
    version,
    actions,
    extraCommands: [...localCommands, ...careCommands],
  });
}
