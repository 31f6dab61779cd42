import type { Clock, Pause } from './clock.ts';
import { countingsOf } from './counting.ts';
import type { Counters, EventRow, MessageRow, Pruned, Waiter } from './rows.ts';
import { type Row, schema, type TurnKind, turnKinds } from './schema.ts';
import type { Find, KeyOf, Outcome, Turn, View } from './store.ts';

/** The committed rows that the turns of a batch asked for. */
export type BatchRows = Readonly<{
  counters: Counters;
  find: Find;
  queue: (lane: string) => readonly Waiter[];
  /** What there is up to a message that a turn may prune. */
  keptThrough: (messageId: number) => Kept;
}>;

/** What pruning takes away from the counters: messages, and those of each list that is counted. */
export type Kept = Readonly<Partial<Record<keyof Counters, number>>>;

/** Everything that one commit writes. A row that was changed twice stands here once, as it ended. */
export type BatchChanges = Readonly<{
  /** New rows of logs, by their ids without gaps. */
  fresh: { readonly [Name in TurnKind]: readonly Row<Name>[] };
  /** Rows that change, or that are new in a kind that is no log, by their keys. */
  changed: { readonly [Name in TurnKind]: ReadonlyMap<KeyOf<Name>, Row<Name>> };
  queues: ReadonlyMap<string, readonly Waiter[]>;
  events: readonly EventRow[];
  /** Everything up to these ids is to be removed. */
  pruned?: Pruned | undefined;
  counters: Counters;
}>;

export type TurnResult = Readonly<{ outcome: Outcome<unknown> } | { failure: unknown }>;

/**
 * Decides the turns of one batch in order, each on the rows as the turns before it left them. A turn that is refused
 * or fails leaves nothing behind; the others go on. A turn that prunes is alone in its batch.
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

/** Whether there is anything that must reach the disk. */
export function isEmpty({ pruned, events, fresh, changed }: BatchChanges): boolean {
  if (pruned !== undefined || events.length > 0) return false;
  return turnKinds.every((kind) => fresh[kind].length + changed[kind].size === 0);
}

/** A row that a batch leaves behind, if it says anything about it. `last` is the log's last id before the batch. */
export function findIn<Name extends TurnKind>(
  { fresh, changed }: Pick<BatchChanges, 'fresh' | 'changed'>,
  kind: Name,
  key: KeyOf<Name>,
): Row<Name> | undefined {
  const known = (changed[kind] as ReadonlyMap<KeyOf<Name>, Row<Name>>).get(key);
  if (known !== undefined || fresh[kind].length === 0) return known;
  const [first] = fresh[kind] as readonly MessageRow[];
  return (fresh[kind] as readonly Row<Name>[])[(key as number) - (first?.id ?? 0)];
}

type AnyRow = Row<TurnKind>;

function createDraft(rows: BatchRows) {
  const fresh = { messages: [], lanes: [], answers: [] } as Record<TurnKind, AnyRow[]>;
  const changed = Object.fromEntries(turnKinds.map((kind) => [kind, new Map()])) as unknown as Record<
    TurnKind,
    Map<unknown, AnyRow>
  >;
  const draft = { fresh, changed } as unknown as Pick<BatchChanges, 'fresh' | 'changed'>;
  const queues = new Map<string, readonly Waiter[]>();
  const events: EventRow[] = [];
  const counters = { ...rows.counters } as { -readonly [Name in keyof Counters]: Counters[Name] };

  const find: Find = (kind, key) => findIn(draft, kind, key) ?? rows.find(kind, key);

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
    } else changed[kind].set(key, row);
  }

  /** Alone in its batch, so what there is can be counted on the committed rows. */
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

  function viewOf({ asks = {} }: Turn<unknown>, now: number, pause: Pause | undefined): View {
    return {
      now,
      pause,
      counters,
      find(kind, key) {
        // Where the rows are elsewhere, only what was asked for has been loaded.
        if (!(asks[kind] as readonly unknown[] | undefined)?.includes(key))
          throw new Error(`a turn looks at ${kind} ${key} and has not asked for it`);
        return find(kind, key);
      },
      queue: (lane) => queues.get(lane) ?? rows.queue(lane),
    };
  }

  function apply(turn: Turn<unknown>, outcome: Outcome<unknown>, now: number): void {
    counters.clockMilliseconds = Math.max(counters.clockMilliseconds, now);
    if (outcome.rows) {
      for (const kind of turnKinds) for (const row of outcome.rows[kind] ?? []) put(kind, row);
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
