import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Timers } from '../lease/timers.ts';
import { isRunning, listDescendants } from './descendants.ts';

/** A command that runs with the input and output of this process. */
export type Child = Readonly<{
  /** Its exit status as a shell tells it: 128 and more for a signal, 126 and 127 for one that could not start. */
  ended: Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Ends it and everything it started, at first kindly; resolves when they are gone. */
  stop(): Promise<void>;
}>;

export function startChild(
  asked: Readonly<{
    command: readonly string[];
    environment: NodeJS.ProcessEnv;
    timers: Timers;
    remark(sentence: string): void;
  }>,
): Child {
  const [file = '', ...args] = asked.command;
  const toFailedStatus = (error: NodeJS.ErrnoException) => {
    const isMissing = error.code === 'ENOENT';
    asked.remark(`could not start '${file}': ${isMissing ? 'there is no such command' : error.message}`);
    return isMissing ? 127 : 126;
  };
  let child: ChildProcess;
  try {
    child = spawn(file, args, { env: asked.environment, stdio: 'inherit' });
  } catch (error) {
    // Some reasons are thrown, the others arrive as an event.
    const status = toFailedStatus(error as NodeJS.ErrnoException);
    return { ended: Promise.resolve(status), signal: () => {}, stop: () => Promise.resolve() };
  }
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? toSignalStatus(signal)));
    child.on('error', (error) => {
      // A signal that could not be sent arrives here too, while the command goes on.
      if (child.pid === undefined) resolve(toFailedStatus(error));
    });
  });
  return {
    ended,
    signal: (name) => void child.kill(name),
    stop: () => stopTree(child, asked.timers),
  };
}

/** What a shell answers for a command that a signal ended. */
export function toSignalStatus(signal: NodeJS.Signals | null): number {
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}

async function stopTree({ pid }: ChildProcess, timers: Timers): Promise<void> {
  if (pid === undefined) return;
  const all = [pid, ...listDescendants(pid)];
  sendTo(all, 'SIGTERM');
  const deadline = timers.now() + graceMilliseconds;
  while (all.some(isRunning)) {
    if (timers.now() >= deadline) return sendTo([...all, ...listDescendants(pid)], 'SIGKILL');
    await new Promise<void>((resolve) => void timers.after(lookMilliseconds, resolve));
  }
}

function sendTo(processIds: readonly number[], signal: NodeJS.Signals): void {
  for (const processId of processIds) {
    try {
      process.kill(processId, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

const graceMilliseconds = 5000;
const lookMilliseconds = 50;
