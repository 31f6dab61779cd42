import type { Command } from 'commander';
import type { Bus } from '../contract/contract.ts';
import type { Timers } from '../lease/timers.ts';
import type { Config } from './config.ts';
import type { Reader, SettingName } from './settings.ts';
import type { Terminal } from './terminal.ts';

/** A bus that must be closed when the command is done with it. */
export type OpenedBus = Bus & Readonly<{ close(): void | Promise<void> }>;

/** What only the composition of the product can do. */
export type Actions = Readonly<{
  /** Connects to the bus, and may find or start the local one. */
  openBus(config: Config): Promise<OpenedBus>;
  /** Runs the bus until it is stopped. */
  serve(config: Config, terminal: Terminal): Promise<void>;
  /** Runs the MCP server over stdio until its client leaves. */
  mcp(config: Config): Promise<void>;
}>;

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** Where the signals to this process arrive; `process` is one. */
export type SignalSource = Readonly<{
  on(signal: SignalName, listener: () => void): unknown;
  off(signal: SignalName, listener: () => void): unknown;
}>;

/** One run of a command: what was typed, and everything that it may touch. */
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
  /** What the caller opened above 2, for a command that starts another. */
  descriptors: readonly number[];
  input: NodeJS.ReadableStream;
  signals: SignalSource;
  timers: Timers;
}>;

export type CommandGroup = 'Run' | 'Operations' | 'For scripts' | 'This machine' | 'Data';

/** One command of the command line. */
export type CommandDeclaration = Readonly<{
  /** What help and documents call it. */
  name: string;
  /** Other names that run it. */
  aliases?: readonly string[];
  /** Words that people try for it; they run nothing, and the error names this command. */
  alsoTried?: readonly string[];
  group: CommandGroup;
  /** One sentence without a full stop, for the list of commands. */
  summary: string;
  /** More about it, for its own help. */
  guidance?: string;
  /** Whose settings it goes by: a malformed one of these stops it. */
  readers: readonly Reader[];
  /** The settings that matter most here, five at most; its help shows the others with `--all`. */
  mainSettings?: readonly SettingName[];
  /** Adds the arguments and flags of its own. */
  declare?(command: Command): void;
  /** Does it and answers the exit status. Failures are thrown, and told by the caller. */
  run(invocation: Invocation): Promise<number>;
}>;
