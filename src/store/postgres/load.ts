import type { BatchRows } from '../batch.ts';
import { isScopedLane, isScopedWait } from '../line.ts';
import type { LaneRow, Waiter } from '../rows.ts';
import { type Row, schema, type TurnKind, turnKinds } from '../schema.ts';
import type { KeyOf, Turn } from '../store.ts';
import { isLog } from '../tables.ts';
import { toOutdated } from './migrate.ts';
import type { Counted, RowReader } from './read.ts';

export type LoadedRows = BatchRows & Readonly<{ counters: Counted }>;

/**
 * Reads the rows that a batch of turns asks for: a few statements for all turns, sent together. With `isLocked`, no
 * other process can change the rows until the transaction ends.
 */
export async function loadRows(
  reader: RowReader,
  turns: readonly Turn<unknown>[],
  { isLocked }: Readonly<{ isLocked: boolean }>,
): Promise<LoadedRows> {
  const lanes = asked(turns, 'lanes');
  // Each statement sees what was committed when it began. The ones that run after the lock was obtained therefore
  // see what its last holder wrote.
  const isScoped = turns.some(({ asks }) => asks?.scopes === true);
  const [counters, version, waiters, scoped, kept, ...found] = await Promise.all([
    isLocked ? reader.lockedCounters() : reader.counters(),
    reader.version(),
    reader.waitersFor(lanes, { isWholeLine: true }),
    lanes.length === 0 ? [] : reader.scopedAndAwaited(isScoped),
    reader.keptThrough(distinct(turns.map(({ prune }) => prune?.messageId))),
    ...turnKinds.map((kind) => loadKind(reader, kind, { turns, isLocked: isLocked && !isLog(kind) })),
  ]);
  const outdated = toOutdated(version);
  if (outdated) throw outdated;
  const rows = Object.fromEntries(found) as unknown as Record<TurnKind, ReadonlyMap<unknown, never>>;
  const queues = toQueues(waiters);
  const awaited = new Map(scoped.map((row) => [row.lane, row]));
  const line = { queues, hasScopes: waiters.some(isScopedWait) };
  const scopedLanes = new Map(scoped.flatMap((row) => (isScopedLane(row) ? [[row.lane, row] as const] : [])));
  const keptRows = new Map(kept.map(({ through, ...counts }) => [through, counts]));
  return {
    counters,
    find(kind, key) {
      const row = rows[kind].get(key);
      if (row !== undefined || kind !== 'lanes') return row;
      return (awaited.get(key as string) ?? toNewLane(key as string, counters)) as never;
    },
    queue: (lane) => queues.get(lane) ?? [],
    line: () => line,
    scopedLanes: () => scopedLanes,
    // Below the point up to which the log was pruned, nothing is left.
    keptThrough: (id) => keptRows.get(id) ?? {},
  };
}

async function loadKind<Name extends TurnKind>(
  reader: RowReader,
  kind: Name,
  { turns, isLocked }: Readonly<{ turns: readonly Turn<unknown>[]; isLocked: boolean }>,
) {
  const rows = await reader.found(kind, asked(turns, kind), { isLocked });
  const key = schema[kind].key[0] as keyof Row<Name>;
  return [kind, new Map(rows.map((row) => [row[key], row]))] as const;
}

/** The keys that the turns ask for, without duplicates. */
function asked<Name extends TurnKind>(turns: readonly Turn<unknown>[], kind: Name): readonly KeyOf<Name>[] {
  return distinct(turns.flatMap(({ asks }) => (asks?.[kind] as readonly KeyOf<Name>[] | undefined) ?? []));
}

/** After an accepted loss, a lane without a row may have been granted before. Its fences continue above the floor. */
export function toNewLane(lane: string, { fenceFloor }: Pick<Counted, 'fenceFloor'>): LaneRow | undefined {
  return fenceFloor > 0 ? { lane, fence: fenceFloor } : undefined;
}

/** Each lane's waiters in order of arrival. Lanes are ordered by their first waiter. */
export function toQueues(waiters: readonly Waiter[]): ReadonlyMap<string, readonly Waiter[]> {
  const queues = new Map<string, Waiter[]>();
  for (const waiter of waiters) {
    const queue = queues.get(waiter.lane);
    if (queue) queue.push(waiter);
    else queues.set(waiter.lane, [waiter]);
  }
  return queues;
}

function distinct<Value>(values: readonly (Value | undefined)[]): Value[] {
  return [...new Set(values)].filter((value) => value !== undefined);
}
