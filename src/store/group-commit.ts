import { type BusError, toBusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { TurnResult } from './batch.ts';
import type { Outcome, Turn } from './store.ts';

type Waiting = Readonly<{
  turn: Turn<unknown>;
  resolve: (answer: unknown) => void;
  reject: (reason: unknown) => void;
}>;

/** One commit: how many turns shared it, how long it took, and whether the store kept it. */
export type CommitMeasurement = Readonly<{ turns: number; seconds: number; isKept: boolean }>;
export type ObserveCommit = (measurement: CommitMeasurement) => void;

/**
 * Lets all turns that arrive while a commit is under way share the next one. Alone, a turn does not wait for company:
 * there is no timer.
 *
 * `commit` decides and keeps a batch, and rejects when nothing of it was kept. `glance` decides a turn on the
 * committed rows: what is refused there needs no commit, so it does not wait for one either. A store whose rows are
 * elsewhere has no glance.
 */
export function createGroupCommit({
  commit,
  glance,
  gather,
  observe,
}: Readonly<{
  commit: (turns: readonly Turn<unknown>[]) => Promise<readonly TurnResult[]>;
  glance?: (turn: Turn<unknown>) => Outcome<unknown> | undefined;
  /** Awaited before a batch is cut, for those who come in the same moment: worth it where a commit is a journey. */
  gather?: () => Promise<void>;
  observe?: ObserveCommit | undefined;
}>) {
  let queued: Waiting[] = [];
  let running: Promise<void> | undefined;
  let isClosed = false;
  let lastCommitSeconds = 0;
  /** Lanes that an undecided turn may still change: a glance at them could be out of date. */
  const unsettled = new Map<string, number>();

  function take<Answer>(turn: Turn<Answer>): Promise<Answer> {
    if (isClosed) return Promise.reject(toUnavailable('the bus is shutting down', 1));
    const refusal = running ? refusalAtAGlance(turn) : undefined;
    if (refusal) return Promise.reject(refusal);
    if (!turn.isOwed && isFull()) {
      return Promise.reject(toUnavailable('more writes are waiting than the bus can hold', 1));
    }
    return new Promise<Answer>((resolve, reject) => {
      queued.push({ turn, resolve: resolve as (answer: unknown) => void, reject });
      count(turn.lane, 1);
      running ??= run();
    });
  }

  /** On a slow disk fewer may wait, so that the answers come within about a second. */
  function isFull(): boolean {
    if (queued.length < limits.turnsPerCommitMax) return false;
    const commitsAhead = Math.ceil(queued.length / limits.turnsPerCommitMax);
    return (
      queued.length >= limits.turnsQueuedMax ||
      commitsAhead * lastCommitSeconds > limits.turnsQueuedSecondsMax
    );
  }

  function refusalAtAGlance(turn: Turn<unknown>): BusError | undefined {
    if (turn.lane === undefined || unsettled.has(turn.lane)) return undefined;
    const outcome = glance?.(turn);
    return outcome && 'refusal' in outcome && !outcome.lane && !outcome.queue ? outcome.refusal : undefined;
  }

  function count(lane: string | undefined, change: number): void {
    if (lane === undefined) return;
    const left = (unsettled.get(lane) ?? 0) + change;
    if (left === 0) unsettled.delete(lane);
    else unsettled.set(lane, left);
  }

  async function run(): Promise<void> {
    while (queued.length > 0) {
      if (gather) await gather();
      const batch = queued.slice(0, limits.turnsPerCommitMax);
      queued = queued.slice(limits.turnsPerCommitMax);
      await runBatch(batch);
    }
    running = undefined;
  }

  async function runBatch(batch: readonly Waiting[]): Promise<void> {
    const startedAtMs = performance.now();
    let results: readonly TurnResult[];
    let isKept = true;
    try {
      results = await commit(batch.map(({ turn }) => turn));
    } catch (failure) {
      isKept = false;
      results = batch.map(() => ({ failure }));
    }
    lastCommitSeconds = (performance.now() - startedAtMs) / 1000;
    observe?.({ turns: batch.length, seconds: lastCommitSeconds, isKept });
    for (const [index, { turn, resolve, reject }] of batch.entries()) {
      count(turn.lane, -1);
      const result = results[index] ?? { failure: new Error('a batch lost one of its turns') };
      if ('failure' in result) reject(result.failure);
      else if ('refusal' in result.outcome) reject(result.outcome.refusal);
      else resolve(result.outcome.answer);
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    await running;
  }

  return { take, close };
}

/** The refusal for a store that cannot serve now. */
export function toUnavailable(reason: string, retryAfterSeconds: number): BusError {
  return toBusError('unavailable', `${reason}; nothing was kept: repeat the call in ${retryAfterSeconds} s`, {
    retry_after_s: retryAfterSeconds,
  });
}
