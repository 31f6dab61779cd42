import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandFile } from './build.ts';

/** A run of the command that ships. */
export type CommandProcess = Readonly<{
  child: ChildProcess;
  output(): string;
  errorOutput(): string;
  /** Its exit status, or the name of the signal that ended it. */
  ended: Promise<number | string>;
}>;

export type CommandOptions = Readonly<{
  /** A command that runs the command that follows it. */
  under?: readonly string[];
  /** The program of another version of Node.js. */
  node?: string;
  nodeFlags?: readonly string[];
}>;

/** Without a home and an address of its own in the environment it finds no bus, and never the developer's. */
const nowhere = { HOME: '/nowhere', XDG_DATA_HOME: '/nowhere', BUS_PORT: '0' };

export function startCommand(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  { under = [], node = process.execPath, nodeFlags = [] }: CommandOptions = {},
): CommandProcess {
  const [program = node, ...words] = [...under, node, ...nodeFlags, commandFile, ...argv];
  const child = spawn(program, words, {
    env: { PATH: process.env.PATH, ...nowhere, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { output: '', errorOutput: '' };
  child.stdout.on('data', (chunk) => {
    texts.output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    texts.errorOutput += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, ended, output: () => texts.output, errorOutput: () => texts.errorOutput };
}

/** Runs a command as it ships to its end. */
export async function runCommand(argv: readonly string[], environment: NodeJS.ProcessEnv) {
  const { ended, output, errorOutput } = startCommand(argv, environment);
  return { status: await ended, output: output(), errorOutput: errorOutput() };
}
