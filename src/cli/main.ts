import { CommanderError } from 'commander';
import { systemTimers, type Timers } from '../lease/timers.ts';
import type { Actions, CommandDeclaration, SignalSource } from './command.ts';
import { operationCommands } from './commands.ts';
import { createCompletionCommand } from './completion/command.ts';
import { readConfig } from './config.ts';
import { exitStatus, toFailure } from './failure.ts';
import { guardCheckCommand } from './guard-check.ts';
import { holdCommand } from './hold.ts';
import { readArguments } from './program.ts';
import { setupCommand } from './setup/command.ts';
import { createTerminal, type Terminal } from './terminal.ts';
import { toolsCommand } from './tools.ts';
import { toJsonLine } from './visible.ts';
import { watchCommand } from './watch.ts';

/** Everything that a run of the command line may use. */
export type CommandLine = Readonly<{
  /** The arguments after the program's name. */
  argv: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** The file descriptors above 2 that this process was given. */
  descriptors?: readonly number[];
  input?: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  errorOutput: NodeJS.WritableStream;
  version: string;
  actions: Actions;
  /** Commands defined elsewhere, listed and run like the ones here. */
  extraCommands?: readonly CommandDeclaration[];
  signals?: SignalSource;
  timers?: Timers;
}>;

/** Runs one command and returns the exit status. Never rejects. */
export async function runCommandLine(commandLine: CommandLine): Promise<number> {
  const terminal = createTerminal(commandLine);
  const status = await run(commandLine, terminal).catch((error) =>
    error instanceof CommanderError && error.exitCode === 0
      ? exitStatus.done
      : report(error, terminal, commandLine),
  );
  await terminal.flush();
  // If the output could not be written, the command failed, whatever the bus did.
  return status === exitStatus.done && terminal.hasFailed() ? exitStatus.refused : status;
}

async function run(commandLine: CommandLine, terminal: Terminal): Promise<number> {
  const { argv, environment } = commandLine;
  const completionCommand = createCompletionCommand(() => declarations);
  const versionCommand = createVersionCommand(commandLine.version);
  const declarations = [
    ...ownCommands,
    ...(commandLine.extraCommands ?? []),
    completionCommand,
    versionCommand,
  ];
  const typed = readArguments({
    argv,
    declarations,
    defaultCommand: 'mcp',
    version: commandLine.version,
    write: (text) => void terminal.print(text.replace(/\n$/, '')),
  });
  if (typed === undefined) return exitStatus.done;
  const { declaration, flags, operands, trailing } = typed;
  const { readers } = declaration;
  const { config, warnings } = readConfig({ environment, flags: typed.settings, readers });
  for (const warning of warnings) terminal.remark(warning);
  const { actions, descriptors = [], input = process.stdin } = commandLine;
  const { signals = process, timers = systemTimers } = commandLine;
  const typedParts = { operands, trailing, flags };
  const surroundings = { actions, terminal, environment, descriptors, input, signals, timers };
  return await declaration.run({ ...typedParts, config, ...surroundings });
}

const ownCommands: readonly CommandDeclaration[] = [
  {
    name: 'mcp',
    group: 'Run',
    summary: 'Run the MCP server over standard input and output (the default)',
    readers: ['mcp'],
    async run({ actions, config }) {
      await actions.mcp(config);
      return exitStatus.done;
    },
  },
  {
    name: 'serve',
    group: 'Run',
    alsoTried: ['start', 'server', 'daemon', 'bus'],
    summary: 'Run the bus until it is stopped',
    readers: ['bus'],
    async run({ actions, config, terminal }) {
      await actions.serve(config, terminal);
      return exitStatus.done;
    },
  },
  toolsCommand,
  ...operationCommands,
  watchCommand,
  holdCommand,
  guardCheckCommand,
  setupCommand,
];

function createVersionCommand(version: string): CommandDeclaration {
  return {
    name: 'version',
    group: 'This machine',
    summary: 'Print the version',
    readers: [],
    async run({ terminal }) {
      await terminal.print(version);
      return exitStatus.done;
    },
  };
}

async function report(error: unknown, terminal: Terminal, commandLine: CommandLine): Promise<number> {
  const { argv, extraCommands = [] } = commandLine;
  const isOf = (word: string) => (one: CommandDeclaration) =>
    one.name === word || one.aliases?.includes(word);
  const commands = [...ownCommands, ...extraCommands];
  const typed = argv.find((word) => commands.some(isOf(word))) ?? '';
  const command = commands.find(isOf(typed));
  const failure = toFailure(error, command ? `bus-mcp ${command.name} --help` : 'bus-mcp --help');
  if (isForPrograms(argv)) await terminal.print(toJsonLine({ ok: false, error: failure.error }));
  else terminal.remark(failure.sentence);
  return failure.status;
}

/** Works even when the arguments cannot be parsed. What follows `--` belongs to another program. */
function isForPrograms(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}
