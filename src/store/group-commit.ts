import { setImmediate as yieldTurn } from 'node:timers/promises';
import { type BusError, toBusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { TurnResult } from './batch.ts';
import type { Outcome, Turn } from './store.ts';

type QueuedTurn = Readonly<{
  turn: Turn<unknown>;
  resolve: (answer: unknown) => void;
  reject: (reason: unknown) => void;
}>;

/**
 * Groups turns into commits. All turns that arrive while a commit is in progress share the next one. A turn that
 * arrives alone commits at once; there is no timer.
 *
 * `commit` decides a batch and writes it, and rejects when nothing of it was written.
 *
 * `glance` is a shortcut for refusals. It decides a turn on the committed rows alone. If the result is a refusal
 * that changes nothing, no commit is needed, and the turn does not wait for one. A store whose rows are in another
 * process has no glance.
 */
export function createGroupCommit({
  commit,
  glance,
  isPipelined = false,
}: Readonly<{
  commit: (turns: readonly Turn<unknown>[]) => Promise<readonly TurnResult[]>;
  glance?: (turn: Turn<unknown>) => Outcome<unknown> | undefined;
  /**
   * Whether `commit` accepts a batch while earlier ones are still being written. It then decides the new batch on
   * their rows.
   */
  isPipelined?: boolean;
}>) {
  let queued: QueuedTurn[] = [];
  let running: Promise<void> | undefined;
  const underWay = new Set<Promise<void>>();
  let turnsUnderWay = 0;
  let isClosed = false;
  let lastCommitSeconds = 0;
  /** Lanes that an undecided turn may still change, so a glance at them could be out of date. */
  const unsettled = new Map<string, number>();

  function take<Answer>(turn: Turn<Answer>): Promise<Answer> {
    if (isClosed) return Promise.reject(toUnavailable('the bus is shutting down', 1));
    const refusal = running || underWay.size > 0 ? refusalAtAGlance(turn) : undefined;
    if (refusal) return Promise.reject(refusal);
    if (!turn.isOwed && isFull()) {
      return Promise.reject(toUnavailable('more writes are waiting than the bus can hold', 1));
    }
    return new Promise<Answer>((resolve, reject) => {
      queued.push({ turn, resolve: resolve as (answer: unknown) => void, reject });
      count(turn, 1);
      running ??= run();
    });
  }

  /** On a slow disk fewer turns may wait, so that every response comes within about a second. */
  function isFull(): boolean {
    if (queued.length < limits.turnsPerCommitMax) return false;
    const commitsAhead = Math.ceil((queued.length + 1) / limits.turnsPerCommitMax);
    return (
      queued.length >= limits.turnsQueuedMax ||
      commitsAhead * lastCommitSeconds > limits.turnsQueuedSecondsMax
    );
  }

  function refusalAtAGlance(turn: Turn<unknown>): BusError | undefined {
    const lanes = lanesOf(turn);
    // What a claim with scopes depends on is not its lane alone.
    if (turn.asks?.scopes) return undefined;
    if (lanes.length === 0 || lanes.some((lane) => unsettled.has(lane))) return undefined;
    const outcome = glance?.(turn);
    return outcome && 'refusal' in outcome && !isChanging(outcome) ? outcome.refusal : undefined;
  }

  function count(turn: Turn<unknown>, change: number): void {
    for (const lane of lanesOf(turn)) {
      const left = (unsettled.get(lane) ?? 0) + change;
      if (left === 0) unsettled.delete(lane);
      else unsettled.set(lane, left);
    }
  }

  async function run(): Promise<void> {
    while (queued.length > 0) {
      // Requests that were read from the network at the same moment should join this commit too.
      await yieldTurn();
      const isAlone = isPruning(queued[0]);
      await roomFor(isAlone || !isPipelined ? 0 : limits.turnsPerCommitMax - 1);
      const done = runBatch(cutBatch());
      underWay.add(done);
      void done.then(() => underWay.delete(done));
      if (isAlone) await done;
    }
    running = undefined;
  }

  async function roomFor(turnsUnderWayMax: number): Promise<void> {
    while (turnsUnderWay > turnsUnderWayMax) await Promise.race(underWay);
  }

  /** A pruning turn counts rows, so no other turn may change them at the same time. */
  function cutBatch(): readonly QueuedTurn[] {
    const most = limits.turnsPerCommitMax - turnsUnderWay;
    const end = isPruning(queued[0]) ? 1 : queued.findIndex(isPruning);
    const batch = queued.slice(0, end < 0 ? most : Math.min(end, most));
    queued = queued.slice(batch.length);
    return batch;
  }

  async function runBatch(batch: readonly QueuedTurn[]): Promise<void> {
    const startedAtMs = performance.now();
    turnsUnderWay += batch.length;
    let results: readonly TurnResult[];
    try {
      results = await commit(batch.map(({ turn }) => turn));
    } catch (failure) {
      results = batch.map(() => ({ failure }));
    }
    turnsUnderWay -= batch.length;
    lastCommitSeconds = (performance.now() - startedAtMs) / 1000;
    for (const [index, { turn, resolve, reject }] of batch.entries()) {
      count(turn, -1);
      const result = results[index] ?? { failure: new Error('a batch lost one of its turns') };
      if ('failure' in result) reject(result.failure);
      else if ('refusal' in result.outcome) reject(result.outcome.refusal);
      else resolve(result.outcome.answer);
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    await running;
    await Promise.all(underWay);
  }

  return { take, close };
}

function lanesOf({ asks }: Turn<unknown>): readonly string[] {
  return asks?.lanes ?? [];
}

function isChanging({ rows, queues }: Outcome<unknown>): boolean {
  return (queues?.size ?? 0) > 0 || Object.values(rows ?? {}).some((changed) => (changed?.length ?? 0) > 0);
}

function isPruning(queued: QueuedTurn | undefined): boolean {
  return queued?.turn.prune !== undefined;
}

/** The refusal for a store that cannot serve right now. */
export function toUnavailable(reason: string, retryAfterSeconds: number): BusError {
  return toBusError('unavailable', `${reason}; nothing was kept: repeat the call in ${retryAfterSeconds} s`, {
    retry_after_s: retryAfterSeconds,
  });
}
