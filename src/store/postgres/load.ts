import type { BatchRows } from '../batch.ts';
import type { LaneRow, Waiter } from '../rows.ts';
import { type Row, schema, type TurnKind, turnKinds } from '../schema.ts';
import type { KeyOf, Turn } from '../store.ts';
import { isLog } from '../tables.ts';
import { toOutdated } from './migrate.ts';
import type { Counted, RowReader } from './read.ts';

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
  const lanes = asked(turns, 'lanes');
  // A statement sees what was committed when it began, so the ones after the lock see what its last holder left.
  const [counters, version, waiters, kept, ...found] = await Promise.all([
    isLocked ? reader.lockedCounters() : reader.counters(),
    reader.version(),
    reader.waitersFor(lanes),
    reader.keptThrough(distinct(turns.map(({ prune }) => prune?.messageId))),
    ...turnKinds.map((kind) => loadKind(reader, kind, { turns, isLocked: isLocked && !isLog(kind) })),
  ]);
  const outdated = toOutdated(version);
  if (outdated) throw outdated;
  const rows = Object.fromEntries(found) as unknown as Record<TurnKind, ReadonlyMap<unknown, never>>;
  const queues = toQueues(waiters);
  const keptRows = new Map(kept.map(({ through, ...counts }) => [through, counts]));
  return {
    counters,
    find: (kind, key) =>
      rows[kind].get(key) ?? (kind === 'lanes' ? (toNewLane(key as string, counters) as never) : undefined),
    queue: (lane) => queues.get(lane) ?? [],
    // Nothing is kept up to where the log was pruned before.
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

/** The keys that the turns ask for, each once. */
function asked<Name extends TurnKind>(turns: readonly Turn<unknown>[], kind: Name): readonly KeyOf<Name>[] {
  return distinct(turns.flatMap(({ asks }) => (asks?.[kind] as readonly KeyOf<Name>[] | undefined) ?? []));
}

/** After a loss was accepted even a lane without a row may have been granted: its fences go on above the floor. */
export function toNewLane(lane: string, { fenceFloor }: Pick<Counted, 'fenceFloor'>): LaneRow | undefined {
  return fenceFloor > 0 ? { lane, fence: fenceFloor } : undefined;
}

/** Each lane's waiters in the order they came, the lanes by who came first. */
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
