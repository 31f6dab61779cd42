import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Timers } from '../lease/timers.ts';
import { createFamily, createMark, type Family } from './descendants.ts';

/** A command that runs with the input and output of this process. */
export type Child = Readonly<{
  /** Resolves with how it ended, once the command and everything it started are gone. */
  ended: Promise<Ending>;
  /** Asks the command and everything it started to end. What still runs after the grace period is killed. */
  stop(signal: NodeJS.Signals): void;
}>;

type Ending = Readonly<{
  /** The exit status as a shell reports it: above 128 for a signal, 126 or 127 when the command could not start. */
  status: number;
  /** Whether something had to be killed. */
  isKilled: boolean;
}>;

export type ChildRequest = Readonly<{
  command: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** The file descriptors above 2 to pass on to the command. */
  descriptors: readonly number[];
  graceSeconds: number;
  timers: Timers;
  remark(sentence: string): void;
}>;

export function startChild(asked: ChildRequest): Child {
  const mark = createMark(asked.environment);
  const started = spawnCommand(asked, { ...asked.environment, ...mark.environment });
  if (typeof started === 'number') return toFailedChild(started);
  const status = toStatus(started, asked);
  if (started.pid === undefined) return { ended: status.then(toEnding), stop: () => {} };
  return watchOver(status, createFamily(started.pid, mark), asked);
}

/** The status a shell returns for a command that a signal ended. */
export function toSignalStatus(signal: NodeJS.Signals | null): number {
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Follows the command and its descendants until the last of them is gone. */
function watchOver(commandStatus: Promise<number>, family: Family, asked: ChildRequest): Child {
  const { graceSeconds, remark, timers } = asked;
  let firstSignal: NodeJS.Signals | undefined;
  let isKilled = false;
  let isRefused = false;
  let cancelKill = () => {};
  return { ended: waitForAll(), stop };

  async function waitForAll(): Promise<Ending> {
    const status = await commandStatus;
    let left = family.list();
    if (left.length > 0 && firstSignal === undefined) remark(toWaitSentence(left));
    // A shell makes its background commands ignore Ctrl-C and similar signals, but every program knows SIGTERM.
    if (firstSignal !== undefined && firstSignal !== 'SIGTERM') sendTo(left, 'SIGTERM');
    for (let milliseconds = 20; left.length > 0; milliseconds = Math.min(2 * milliseconds, 500)) {
      await new Promise<void>((resolve) => void timers.after(milliseconds, resolve));
      left = family.list();
    }
    cancelKill();
    return { status, isKilled };
  }

  function stop(signal: NodeJS.Signals): void {
    // List them before the first one ends: after that its children no longer appear as its own.
    sendTo(family.list(), signal);
    if (firstSignal === undefined) cancelKill = timers.after(graceSeconds * 1000, kill);
    firstSignal ??= signal;
  }

  function kill(): void {
    const left = family.list();
    const refused = sendTo(left, 'SIGKILL');
    const killed = left.filter((processId) => !refused.includes(processId));
    if (killed.length > 0 && !isKilled) {
      remark(
        `${toCountText(killed)} of the command still ran ${graceSeconds} s after ${firstSignal}: killed`,
      );
      isKilled = true;
    }
    if (refused.length > 0 && !isRefused) {
      remark(`${toCountText(refused)} of the command belongs to another user and cannot be ended from here`);
      isRefused = true;
    }
    // Something may have started at this very moment.
    cancelKill = timers.after(1000, kill);
  }
}

function spawnCommand(asked: ChildRequest, environment: NodeJS.ProcessEnv): ChildProcess | number {
  const [file = '', ...args] = asked.command;
  const stdio: ('inherit' | 'ignore' | number)[] = ['inherit', 'inherit', 'inherit'];
  for (const id of asked.descriptors) {
    // Descriptors above 2 that are ignored here get closed, as they should be.
    while (stdio.length < id) stdio.push('ignore');
    stdio[id] = id;
  }
  try {
    return spawn(file, args, { env: environment, stdio });
  } catch (error) {
    // Some start failures are thrown, others arrive as an event.
    return tellFailure(asked, error as NodeJS.ErrnoException);
  }
}

function toStatus(child: ChildProcess, asked: ChildRequest): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? toSignalStatus(signal)));
    child.on('error', (error) => {
      // A signal that could not be sent also arrives here, while the command goes on.
      if (child.pid === undefined) resolve(tellFailure(asked, error));
    });
  });
}

function tellFailure({ command: [file], remark }: ChildRequest, error: NodeJS.ErrnoException): number {
  const isMissing = error.code === 'ENOENT';
  remark(`could not start '${file}': ${isMissing ? 'there is no such command' : error.message}`);
  return isMissing ? 127 : 126;
}

function toFailedChild(status: number): Child {
  return { ended: Promise.resolve(toEnding(status)), stop: () => {} };
}

function toEnding(status: number): Ending {
  return { status, isKilled: false };
}

/** Returns the processes that this user may not signal. */
function sendTo(processIds: readonly number[], signal: NodeJS.Signals): readonly number[] {
  return processIds.filter((processId) => {
    try {
      process.kill(processId, signal);
      return false;
    } catch (error) {
      // Otherwise the process has ended in the meantime.
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  });
}

function toWaitSentence(left: readonly number[]): string {
  return `the command has ended and ${toCountText(left)} that it started still ${left.length === 1 ? 'runs' : 'run'}: the lane is kept until then`;
}

function toCountText(processIds: readonly number[]): string {
  const noun = processIds.length === 1 ? 'process' : `${processIds.length} processes`;
  return `${noun} ${processIds.join(', ')}`;
}
