import type { BatchRows } from '../batch.ts';
import type { LaneRow, Waiter } from '../rows.ts';
import type { Turn } from '../store.ts';
import { toOutdated } from './migrate.ts';
import type { Counted, QueuedWaiter, RowReader } from './read.ts';

export type LoadedRows = BatchRows & Readonly<{ counters: Counted }>;

/**
 * Reads the rows that a batch of turns asks for: a few statements for all of them, sent together. Locked, they are the
 * rows as no other process can change them before the transaction is over.
 */
export async function loadRows(
  reader: RowReader,
  turns: readonly Turn<unknown>[],
  { isLocked }: Readonly<{ isLocked: boolean }>,
): Promise<LoadedRows> {
  const laneNames = distinct(turns.map(({ lane }) => lane));
  const messageIds = distinct(turns.map(({ messageId }) => messageId));
  const keys = distinct(turns.map(({ key }) => key));
  const prunedIds = distinct(turns.map(({ prune }) => prune?.messageId));
  // A statement sees what was committed when it began, so the ones after the lock see what its last holder left.
  const [counters, version, lanes, waiters, messages, answers, kept] = await Promise.all([
    isLocked ? reader.lockedCounters() : reader.counters(),
    reader.version(),
    laneNames.length > 0 ? reader.lanesNamed(laneNames, isLocked ? 'FOR UPDATE' : '') : [],
    laneNames.length > 0 ? reader.waitersFor(laneNames) : [],
    messageIds.length > 0 ? reader.messagesWith(messageIds) : [],
    keys.length > 0 ? reader.answersFor(keys) : [],
    prunedIds.length > 0 ? reader.keptThrough(prunedIds) : [],
  ]);
  const outdated = toOutdated(version);
  if (outdated) throw outdated;
  const laneRows = new Map(lanes.map((row) => [row.lane, row]));
  const queues = toQueues(waiters);
  const messageRows = new Map(messages.map((row) => [row.id, row]));
  const answerRows = new Map(answers.map((row) => [row.key, row]));
  const keptRows = new Map(kept.map((row) => [row.id, row]));
  return {
    counters,
    lane: (lane) => laneRows.get(lane) ?? toNewLane(lane, counters),
    queue: (lane) => queues.get(lane) ?? [],
    message: (id) => messageRows.get(id),
    answer: (key) => answerRows.get(key),
    keptThrough: (id) => keptRows.get(id) ?? nothingKept,
  };
}

/** Up to where the log was pruned before. */
const nothingKept = { messageCount: 0, pendingFlagCount: 0 };

/** After a loss was accepted even a lane without a row may have been granted: its fences go on above the floor. */
export function toNewLane(lane: string, { fenceFloor }: Pick<Counted, 'fenceFloor'>): LaneRow | undefined {
  return fenceFloor > 0 ? { lane, fence: fenceFloor } : undefined;
}

/** Each lane's waiters in the order they came, the lanes by who came first. */
export function toQueues(waiters: readonly QueuedWaiter[]): ReadonlyMap<string, readonly Waiter[]> {
  const queues = new Map<string, Waiter[]>();
  for (const { lane, waiter } of waiters) {
    const queue = queues.get(lane);
    if (queue) queue.push(waiter);
    else queues.set(lane, [waiter]);
  }
  return queues;
}

function distinct<Value>(values: readonly (Value | undefined)[]): Value[] {
  return [...new Set(values)].filter((value) => value !== undefined);
}
