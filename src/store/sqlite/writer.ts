import { Worker } from 'node:worker_threads';
import { toUnavailable } from '../group-commit.ts';
import { retrySeconds } from './errors.ts';
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
    const { reason, condition } = await answered;
    worker.unref();
    if (death) throw toUnavailable(`the writer of the store is gone (${death})`, retrySeconds);
    if (condition !== undefined) throw toUnavailable(condition, retrySeconds);
    if (reason !== undefined) throw new Error(`the commit failed: ${reason}`);
  }

  async function close(): Promise<void> {
    if (!death) worker.postMessage('close');
    worker.ref();
    await exited;
  }

  return { commit, close };
}
