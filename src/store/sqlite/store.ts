import { type BatchChanges, type BatchRows, decideBatch, isEmpty, type TurnResult } from '../batch.ts';
import type { Clock } from '../clock.ts';
import { createGroupCommit } from '../group-commit.ts';
import { isScopedWait, withChangedLanes } from '../line.ts';
import type { Counters, EventRow, HeldLaneRow, LaneRow, Waiter } from '../rows.ts';
import { schema } from '../schema.ts';
import type { Find, Overview, OverviewQuery, Store, Turn } from '../store.ts';
import { createUnderWay } from '../under-way.ts';
import type { SignsOfLife } from './integrity/life.ts';
import type { RowReader } from './read.ts';
import type { Writer } from './writer.ts';

type Parts = Readonly<{
  path: string;
  reader: RowReader;
  writer: Writer;
  clock: Clock;
  life: SignsOfLife;
  closeReader: () => void;
  unlock: () => void;
}>;

/** This process is the only one that writes to the file, so counters and queues can live in memory. */
export function createSqliteStore({ path, reader, writer, clock, life, closeReader, unlock }: Parts): Store {
  let counters: Counters = reader.counters();
  const { fenceFloor } = counters;
  let version = 0;
  const queues = new Map<string, readonly Waiter[]>();
  let scopedWaits = 0;
  let scopedLanes: ReadonlyMap<string, HeldLaneRow> = new Map(reader.scoped().map((row) => [row.lane, row]));
  const listeners = new Set<(events: readonly EventRow[]) => void>();
  const group = createGroupCommit({ commit, glance, isPipelined: true });

  /**
   * After an accepted loss, a lane without a row may have been granted before. Its fences continue above the floor.
   */
  const readLane = (lane: string): LaneRow | undefined =>
    reader.find('lanes', lane) ?? (fenceFloor > 0 ? { lane, fence: fenceFloor } : undefined);
  const lanes = createLaneCache(readLane);
  const find: Find = (kind, key) =>
    kind === 'lanes' ? (lanes.get(key as string) as never) : reader.find(kind, key);
  const queueOf = (lane: string) => queues.get(lane) ?? [];
  const committedRows = (): BatchRows => ({
    counters,
    find,
    queue: queueOf,
    line: () => ({ queues, hasScopes: scopedWaits > 0 }),
    scopedLanes: () => scopedLanes,
    keptThrough: reader.keptThrough,
  });

  const underWay = createUnderWay({ committed: committedRows, apply });

  async function commit(turns: readonly Turn<unknown>[]): Promise<readonly TurnResult[]> {
    const { changes, results } = decideBatch(turns, underWay.rows(), clock);
    const isWritten = !isEmpty(changes) || turns.includes(probeTurn);
    await underWay.follow(changes, isWritten ? writer.commit(changes, turns.length) : undefined);
    return results;
  }

  function apply(changes: BatchChanges): void {
    counters = changes.counters;
    for (const row of changes.changed.lanes.values()) lanes.set(row);
    scopedLanes = withChangedLanes(scopedLanes, changes.changed.lanes);
    if (!isEmpty(changes) || changes.queues.size > 0) version += 1;
    for (const [lane, queue] of changes.queues) {
      scopedWaits += queue.filter(isScopedWait).length - queueOf(lane).filter(isScopedWait).length;
      if (queue.length > 0) queues.set(lane, queue);
      else queues.delete(lane);
    }
    if (changes.events.length > 0) for (const listener of listeners) listener(changes.events);
  }

  function glance(turn: Turn<unknown>) {
    const { results } = decideBatch([turn], committedRows(), clock);
    const [result] = results;
    return result && 'outcome' in result ? result.outcome : undefined;
  }

  function readOverview({ lists, lanesMax, waitersMax }: OverviewQuery): Overview {
    const now = clock.now();
    return reader.atOnce(() => ({
      now,
      live: reader.live(now, lanesMax),
      orphaned: reader.orphaned(now, lanesMax),
      ...reader.countLanes(now),
      lists: reader.lists(lists),
      ...firstWaiters(queues, waitersMax),
      counters: reader.counters(),
    }));
  }

  function subscribe(listener: (events: readonly EventRow[]) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  async function close(): Promise<void> {
    await group.close();
    life.stop();
    // Whoever closes last folds the log into the file. Only the writer knows whether that would do damage, so it
    // closes last.
    await writer.close();
    closeReader();
    unlock();
    clock.stop?.();
  }

  return {
    kind: 'sqlite',
    location: path,
    clock,
    take: group.take,
    readMessages: async (query) => reader.messages(query),
    readEvents: async (query) => reader.events(query),
    readLanes: async (query) => reader.lanes(query),
    readAgents: async (query) => reader.agents(query),
    readScopedLanes: async () => [...scopedLanes.values()],
    readLane: async (lane) => ({ row: lanes.get(lane), queue: queueOf(lane) }),
    readCounters: async () => counters,
    // The rows may include a commit that this thread has not heard of yet, so do not use the counters in memory.
    readCountersNow: async () => reader.counters(),
    readOldestOf: async (name) => reader.oldestOf(name),
    readOverview: async (query) => readOverview(query),
    version: () => version,
    subscribe,
    gone: writer.gone,
    probe: () => group.take(toProbe(writer.charactersRefused())),
    close,
  };
}

/** Changes nothing but is still written: only a write tells whether writing works. */
const probeTurn: Turn<void> = { decide: () => ({ answer: undefined }) };

/**
 * On a nearly full disk small writes succeed while large ones fail. So after a refusal the probe is as large as the
 * refused batch. It is stored as a kept response that has already expired, under a key that no caller can use.
 */
function toProbe(characters: number): Turn<void> {
  if (characters === 0) return probeTurn;
  const row = { key: 'probe of room', fingerprint: '', answer: JSON.stringify('x'.repeat(characters)) };
  return { decide: ({ now }) => ({ answer: undefined, rows: { answers: [{ ...row, keptUntil: now }] } }) };
}

/** Every claim and heartbeat reads the row of its lane, and nobody else changes it. */
function createLaneCache(read: (lane: string) => LaneRow | undefined) {
  const rows = new Map<string, LaneRow | undefined>();

  function get(lane: string): LaneRow | undefined {
    if (rows.has(lane)) return rows.get(lane);
    if (rows.size >= schema.lanes.cachedMax) rows.clear();
    const row = read(lane);
    rows.set(lane, row);
    return row;
  }

  return { get, set: (row: LaneRow) => void rows.set(row.lane, row) };
}

function firstWaiters(queues: ReadonlyMap<string, readonly Waiter[]>, waitersMax: number) {
  let waiterCount = 0;
  const shown: { lane: string; queue: readonly Waiter[] }[] = [];
  for (const [lane, queue] of queues) {
    if (waiterCount < waitersMax) shown.push({ lane, queue: queue.slice(0, waitersMax - waiterCount) });
    waiterCount += queue.length;
  }
  return { queues: shown, waiterCount };
}
