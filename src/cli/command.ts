import type { Command } from 'commander';
import type { Bus } from '../contract/contract.ts';
import type { Timers } from '../lease/timers.ts';
import type { Config } from './config.ts';
import type { Reader, SettingName } from './settings.ts';
import type { Terminal } from './terminal.ts';

/** A bus that must be closed when the command is done. */
export type OpenedBus = Bus & Readonly<{ close(): void | Promise<void> }>;

/** What only the app can do for a command. */
export type Actions = Readonly<{
  /** Connects to the bus, and may find or start the local one. */
  openBus(config: Config): Promise<OpenedBus>;
  /** Runs the bus until it is stopped. */
  serve(config: Config, terminal: Terminal): Promise<void>;
  /** Runs the MCP server over stdio until its client disconnects. */
  mcp(config: Config): Promise<void>;
}>;

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** Where the signals to this process arrive; `process` is one. */
export type SignalSource = Readonly<{
  on(signal: SignalName, listener: () => void): unknown;
  off(signal: SignalName, listener: () => void): unknown;
}>;

/** One run of a command: what was typed, and everything it may use. */
export type Invocation = Readonly<{
  /** The arguments without flags, in order. */
  operands: readonly string[];
  /** The operands after `--`. */
  trailing: readonly string[];
  /** The flags by their names in camel case, as commander gives them. */
  flags: Readonly<Record<string, unknown>>;
  config: Config;
  actions: Actions;
  terminal: Terminal;
  environment: NodeJS.ProcessEnv;
  /** The file descriptors above 2 that the caller opened, for a command that starts another. */
  descriptors: readonly number[];
  input: NodeJS.ReadableStream;
  signals: SignalSource;
  timers: Timers;
}>;

export type CommandGroup = 'Run' | 'Operations' | 'For scripts' | 'This machine' | 'Data';

/** One command of the command line. */
export type CommandDeclaration = Readonly<{
  /** Its name in help and documents. */
  name: string;
  /** Other names that also run it. */
  aliases?: readonly string[];
  /** Words that people may try instead. They do not run anything; the error names this command. */
  alsoTried?: readonly string[];
  group: CommandGroup;
  /** One sentence without a full stop, for the list of commands. */
  summary: string;
  /** More text for its own help. */
  guidance?: string;
  /** Whose settings it uses: a malformed one stops the command. */
  readers: readonly Reader[];
  /** Its most important settings, at most five. Its help shows the others with `--all`. */
  mainSettings?: readonly SettingName[];
  /** Adds the command's own arguments and flags. */
  declare?(command: Command): void;
  /** Runs the command and returns the exit status. Failures are thrown and reported by the caller. */
  run(invocation: Invocation): Promise<number>;
}>;
