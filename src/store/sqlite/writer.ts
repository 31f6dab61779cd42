import { Worker } from 'node:worker_threads';
import { toBusError } from '../../contract/errors.ts';
import { limits } from '../../contract/limits.ts';
import type { BatchChanges } from '../batch.ts';
import { toUnavailable } from '../group-commit.ts';
import type { ObserveCommit } from '../health.ts';
import { retrySeconds } from './errors.ts';
import { closeRequest, toCommitRequest } from './write.ts';
import type { WriterAnswer } from './writer-thread.ts';

/** The main thread's side of the writer thread. */
export type Writer = Readonly<{
  /**
   * Commits a batch of `turns` turns, or refuses it as a whole. Batches that arrive during a commit share the next
   * one. A refused batch takes all later ones with it, because they build on its rows.
   */
  commit: (changes: BatchChanges, turns: number) => Promise<void>;
  /**
   * The size of the largest batch that the disk had no room for, until one of that size succeeds; 0 when all is
   * well.
   */
  charactersRefused: () => number;
  /** Resolves with the reason when the thread has died. */
  gone: Promise<string>;
  close: () => Promise<void>;
}>;

type Given = Readonly<{
  turns: number;
  characters: number;
  givenAtMs: number;
  resolve: () => void;
  reject: (reason: Error) => void;
}>;

export async function startWriter({
  path,
  file,
  observe,
}: Readonly<{ path: string; file: URL; observe: ObserveCommit }>): Promise<Writer> {
  const worker = new Worker(file, { workerData: { path } });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(writerEnded)));
  });
  worker.unref();

  let given: Given[] = [];
  let answeredAtMs = 0;
  /** Grows with each refusal, so that the thread can tell which batches were sent before the refusal was known. */
  let round = 0;
  let death: string | undefined;
  let isClosing = false;
  let resolveGone = (_reason: string) => {};
  const gone = new Promise<string>((resolve) => {
    resolveGone = resolve;
  });
  let charactersRefused = 0;

  worker.on('message', (answer: WriterAnswer) => {
    if ('kept' in answer) {
      if (toLargest(given.slice(0, answer.kept)) >= charactersRefused) charactersRefused = 0;
      const kept = settle(answer.kept, { isSmall: charactersRefused > 0 });
      for (const { resolve } of kept) resolve();
    } else {
      charactersRefused = Math.max(charactersRefused, toLargest(given));
      refuse(toWriteError(answer));
    }
  });
  worker.on('error', (error) => end(error.message));
  worker.on('exit', () => end(writerEnded));

  function commit(changes: BatchChanges, turns: number): Promise<void> {
    if (death !== undefined) return Promise.reject(toGone(death));
    const text = JSON.stringify(toCommitRequest(changes, round));
    worker.postMessage(text);
    if (given.length === 0) worker.ref();
    return new Promise((resolve, reject) => {
      given.push({ turns, characters: text.length, givenAtMs: performance.now(), resolve, reject });
    });
  }

  function end(reason: string): void {
    if (isClosing || death !== undefined) return;
    death = reason;
    refuse(toUnknownOutcome(death));
    resolveGone(death);
  }

  function refuse(reason: Error): void {
    round += 1;
    for (const { reject } of settle(given.length, { failure: reason })) reject(reason);
  }

  function settle(
    count: number,
    outcome: Readonly<{ failure?: Error; isSmall?: boolean }>,
  ): readonly Given[] {
    const settled = given.slice(0, count);
    given = given.slice(count);
    if (given.length === 0) worker.unref();
    const nowMs = performance.now();
    const seconds = (nowMs - Math.max(settled[0]?.givenAtMs ?? nowMs, answeredAtMs)) / 1000;
    answeredAtMs = nowMs;
    const turns = settled.reduce((sum, batch) => sum + batch.turns, 0);
    if (turns > 0) observe({ turns, seconds, ...outcome });
    return settled;
  }

  async function close(): Promise<void> {
    isClosing = true;
    if (death === undefined) worker.postMessage(closeRequest);
    worker.ref();
    await exited;
  }

  return { commit, charactersRefused: () => charactersRefused, gone, close };
}

/** When many turns shared a batch, each might fit alone. So never ask for more room than one turn may need. */
function toLargest(batches: readonly Given[]): number {
  const largest = batches.reduce((most, { characters }) => Math.max(most, characters), 0);
  return Math.min(largest, limits.requestBytesMax);
}

const writerEnded = 'the writer thread ended';

function toGone(death: string): Error {
  return toUnavailable(`the writer of the store is gone (${death})`, retrySeconds);
}

/** The thread may have died between the commit and its reply. */
function toUnknownOutcome(death: string): Error {
  return toUnknown(`the writer of the store is gone (${death})`);
}

function toUnknown(reason: string): Error {
  const detail =
    `${reason}; nobody knows whether the write was kept: ` +
    `repeat the call in ${retrySeconds} s with the same idempotency key, or check whether it was kept`;
  return toBusError('unavailable', detail, { retry_after_s: retrySeconds });
}

function toWriteError({ reason, condition, isUnknown }: Exclude<WriterAnswer, { kept: number }>): Error {
  if (condition !== undefined && isUnknown) return toUnknown(condition);
  if (condition !== undefined) return toUnavailable(condition, retrySeconds);
  return new Error(`the commit failed: ${reason}`);
}
