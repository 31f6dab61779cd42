import { Worker } from 'node:worker_threads';
import { toUnavailable } from '../group-commit.ts';
import type { CommitRequest } from './write.ts';
import type { WriterAnswer } from './writer-thread.ts';

/** The writer thread as the main thread sees it: one commit at a time, kept whole or refused whole. */
export type Writer = Readonly<{
  commit: (request: CommitRequest) => Promise<void>;
  close: () => Promise<void>;
}>;

export async function startWriter({ path, file }: Readonly<{ path: string; file: URL }>): Promise<Writer> {
  const worker = new Worker(file, { workerData: { path } });
  let answer: ((answer: WriterAnswer) => void) | undefined;
  let death: string | undefined;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  const nextAnswer = () =>
    new Promise<WriterAnswer>((resolve) => {
      if (death) resolve({ reason: death });
      else answer = resolve;
    });
  const end = (reason: string) => {
    death ??= reason;
    answer?.({ reason: death });
  };
  worker.on('message', (message: WriterAnswer) => answer?.(message));
  worker.on('error', (error) => end(error.message));
  worker.on('exit', () => end('the writer thread ended'));

  const started = await nextAnswer();
  if (started.reason) throw new Error(started.reason);
  worker.unref();

  async function commit(request: CommitRequest): Promise<void> {
    const answered = nextAnswer();
    worker.postMessage(request);
    worker.ref();
    const { reason, errorNumber } = await answered;
    worker.unref();
    if (death) throw toUnavailable(`the writer of the store is gone (${death})`, 5);
    if (reason !== undefined) throw toCommitError(reason, errorNumber);
  }

  async function close(): Promise<void> {
    if (!death) worker.postMessage('close');
    worker.ref();
    await exited;
  }

  return { commit, close };
}

/** What a full, broken or read-only disk says, by SQLite's primary result codes. */
const unavailableReasons: Readonly<Record<number, string>> = {
  5: 'the database is locked by another process',
  8: 'the database is read-only',
  10: 'the disk failed',
  11: 'the database is damaged',
  13: 'the disk is full',
  14: 'the database cannot be opened',
  26: 'the file is not a database',
};

function toCommitError(reason: string, errorNumber: number | undefined): Error {
  const known = errorNumber === undefined ? undefined : unavailableReasons[errorNumber & 0xff];
  return known ? toUnavailable(known, 5) : new Error(`the commit failed: ${reason}`);
}
