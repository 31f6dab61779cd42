import type { Clock, Pause } from './clock.ts';
import { countingsOf } from './counting.ts';
import { type Line, toWaiters, withChangedLanes, withChangedQueues } from './line.ts';
import type { Counters, EventRow, HeldLaneRow, MessageRow, Pruned, Waiter } from './rows.ts';
import { type Row, schema, type TurnKind, turnKinds } from './schema.ts';
import type { Find, KeyOf, Outcome, Turn, View } from './store.ts';

/** The committed rows that the turns of a batch asked for. */
export type BatchRows = Readonly<{
  counters: Counters;
  find: Find;
  queue: (lane: string) => readonly Waiter[];
  /** Where somebody waits with scopes, the lanes that all wait for can be found. */
  line: () => Line;
  scopedLanes: () => ReadonlyMap<string, HeldLaneRow>;
  /** How much of the log exists up to a message that a turn may prune. */
  keptThrough: (messageId: number) => Kept;
}>;

/** What pruning subtracts from the counters: the messages, and those of each counted list. */
export type Kept = Readonly<Partial<Record<keyof Counters, number>>>;

/** Everything that one commit writes. A row that changed twice appears once, in its final state. */
export type BatchChanges = Readonly<{
  /** New log rows, with ids without gaps. */
  fresh: { readonly [Name in TurnKind]: readonly Row<Name>[] };
  /** Changed rows, and new rows of kinds that are not logs, by key. */
  changed: { readonly [Name in TurnKind]: ReadonlyMap<KeyOf<Name>, Row<Name>> };
  /** The keys of rows that are gone, in kinds that are no log. */
  removed: { readonly [Name in TurnKind]: ReadonlySet<KeyOf<Name>> };
  queues: ReadonlyMap<string, readonly Waiter[]>;
  events: readonly EventRow[];
  /** Remove everything up to these ids. */
  pruned?: Pruned | undefined;
  counters: Counters;
}>;

export type TurnResult = Readonly<{ outcome: Outcome<unknown> } | { failure: unknown }>;

/**
 * Decides the turns of one batch, strictly in order. Each turn sees the rows as the turns before it left them,
 * exactly as if it had run alone after them. Later turns may rely on earlier ones, so the whole batch goes into one
 * commit. A turn that is refused or fails leaves no changes behind, and the others go on. A turn that prunes has the
 * batch to itself, because it counts committed rows.
 */
export function decideBatch(
  turns: readonly Turn<unknown>[],
  rows: BatchRows,
  clock: Pick<Clock, 'now' | 'lastPause'>,
): { changes: BatchChanges; results: TurnResult[] } {
  const draft = createDraft(rows);
  const results = turns.map((turn): TurnResult => {
    try {
      const view = draft.viewOf(turn, clock.now(), clock.lastPause?.());
      const outcome = turn.decide(view);
      draft.apply(turn, outcome, view.now);
      return { outcome };
    } catch (failure) {
      return { failure };
    }
  });
  return { changes: draft.toChanges(), results };
}

/** Whether nothing has to be written to disk. */
export function isEmpty({ pruned, events, fresh, changed, removed }: BatchChanges): boolean {
  if (pruned !== undefined || events.length > 0) return false;
  return turnKinds.every((kind) => fresh[kind].length + changed[kind].size + removed[kind].size === 0);
}

/** The row as this batch leaves it: null when the batch removes it, undefined when the batch does not touch it. */
export function findIn<Name extends TurnKind>(
  { fresh, changed, removed }: Pick<BatchChanges, 'fresh' | 'changed' | 'removed'>,
  kind: Name,
  key: KeyOf<Name>,
): Row<Name> | null | undefined {
  if (removed[kind].has(key as never)) return null;
  const known = (changed[kind] as ReadonlyMap<KeyOf<Name>, Row<Name>>).get(key);
  if (known !== undefined || fresh[kind].length === 0) return known;
  const [first] = fresh[kind] as readonly MessageRow[];
  return (fresh[kind] as readonly Row<Name>[])[(key as number) - (first?.id ?? 0)];
}

type AnyRow = Row<TurnKind>;

function createDraft(rows: BatchRows) {
  const fresh = ofEachKind((): AnyRow[] => []);
  const changed = ofEachKind(() => new Map<unknown, AnyRow>());
  const removed = ofEachKind(() => new Set<unknown>());
  const draft = { fresh, changed, removed } as unknown as Pick<BatchChanges, 'fresh' | 'changed' | 'removed'>;
  const queues = new Map<string, readonly Waiter[]>();
  const events: EventRow[] = [];
  const counters = { ...rows.counters } as { -readonly [Name in keyof Counters]: Counters[Name] };

  const find: Find = (kind, key) => {
    const drafted = findIn(draft, kind, key);
    return drafted === undefined ? rows.find(kind, key) : (drafted ?? undefined);
  };

  function put(kind: TurnKind, row: AnyRow): void {
    const { log, key: keyFields } = schema[kind] as (typeof schema)[TurnKind] & {
      log?: typeof schema.messages.log;
    };
    const key = (row as Readonly<Record<string, unknown>>)[keyFields[0]] as KeyOf<TurnKind>;
    const isFresh = log !== undefined && (key as number) > counters[log.last];
    for (const { counter, isCounted } of countingsOf(kind)) {
      const before = isFresh ? undefined : find(kind, key);
      const change = Number(isCounted(row)) - Number(before !== undefined && isCounted(before));
      (counters[counter] as number) += change;
    }
    if (isFresh) {
      fresh[kind].push(row);
      counters[log.last] = key as number;
      counters[log.count] += 1;
    } else {
      changed[kind].set(key, row);
      removed[kind].delete(key);
    }
  }

  function remove(kind: TurnKind, key: unknown): void {
    changed[kind].delete(key);
    removed[kind].add(key);
  }

  /** This turn has the batch to itself, so the committed rows can be counted. */
  function prune({ messageId, eventId }: Pruned): void {
    const { pruned } = counters;
    const next = {
      messageId: Math.max(messageId, pruned.messageId),
      eventId: Math.max(eventId, pruned.eventId),
    };
    const [kept, gone] = [rows.keptThrough(next.messageId), rows.keptThrough(pruned.messageId)];
    for (const counter of Object.keys(kept) as (keyof Counters)[])
      (counters[counter] as number) -= (kept[counter] ?? 0) - (gone[counter] ?? 0);
    counters.pruned = next;
  }

  /** The lanes that somebody in the line waits for are loaded with it. */
  function isInLine(kind: TurnKind, key: unknown): boolean {
    if (kind !== 'lanes') return false;
    const line = withChangedQueues(rows.line(), queues);
    return line.hasScopes && line.queues.has(key as string);
  }

  function viewOf({ asks = {} }: Turn<unknown>, now: number, pause: Pause | undefined): View {
    return {
      now,
      pause,
      counters,
      find(kind, key) {
        // When the rows are in another process, only those that were asked for have been loaded.
        if (!(asks[kind] as readonly unknown[] | undefined)?.includes(key) && !isInLine(kind, key))
          throw new Error(`a turn looks at ${kind} ${key} and has not asked for it`);
        return find(kind, key);
      },
      queue: (lane) => queues.get(lane) ?? rows.queue(lane),
      line() {
        const line = withChangedQueues(rows.line(), queues);
        return line.hasScopes ? toWaiters(line) : undefined;
      },
      scopedLanes: () => [...withChangedLanes(rows.scopedLanes(), changed.lanes as never).values()],
    };
  }

  function apply(turn: Turn<unknown>, outcome: Outcome<unknown>, now: number): void {
    counters.clockMilliseconds = Math.max(counters.clockMilliseconds, now);
    if (outcome.rows) {
      for (const kind of turnKinds) for (const row of outcome.rows[kind] ?? []) put(kind, row);
    }
    if (outcome.removed) {
      for (const kind of turnKinds) for (const key of outcome.removed[kind] ?? []) remove(kind, key);
    }
    for (const [lane, queue] of outcome.queues ?? []) queues.set(lane, queue);
    for (const event of outcome.events ?? []) {
      counters.lastEventId += 1;
      events.push({ ...event, id: counters.lastEventId, ts: now });
    }
    if (outcome.isPruned && turn.prune) prune(turn.prune);
  }

  const toChanges = (): BatchChanges => ({
    ...draft,
    queues,
    events,
    pruned: counters.pruned === rows.counters.pruned ? undefined : counters.pruned,
    counters: { ...counters },
  });

  return { viewOf, apply, toChanges };
}

function ofEachKind<Value>(make: () => Value): Record<TurnKind, Value> {
  return Object.fromEntries(turnKinds.map((kind) => [kind, make()])) as Record<TurnKind, Value>;
}
