import type { BusError } from '../contract/errors.ts';
import type { Clock, Pause } from './clock.ts';
import type {
  Counters,
  EventRow,
  HeldLaneRow,
  LaneRow,
  MessageRow,
  NewEvent,
  Pruned,
  Waiter,
} from './rows.ts';
import type { ListedRow, ListName, Row, schema, TurnKind } from './schema.ts';

/**
 * Where rows are kept. A store knows rows, not rules; it promises five things and the rules build on them:
 *
 * - turns: one read-decide-write at a time for each lane, message and idempotency key;
 * - all or nothing: a turn's changes are kept together or not at all;
 * - order: message ids and event ids are given in commit order without gaps, so a reader by id never misses a row;
 * - durability: a turn is answered after its changes would survive a power cut;
 * - time: one clock judges every lease, and it never runs backwards.
 *
 * Every function rejects with the `BusError` `unavailable` when the store cannot serve it now.
 */
export type Store = Readonly<{
  /** The word for `_meta.store`. */
  kind: string;
  /** Where the rows are, for people: a path, or a URL without its password. */
  location: string;
  clock: Clock;

  /** Runs one read-decide-write. Turns that arrive while a commit is under way share the next one. */
  take: <Answer>(turn: Turn<Answer>) => Promise<Answer>;

  readMessages: (query: MessageQuery) => Promise<readonly MessageRow[]>;
  /** Oldest first. */
  readEvents: (query: EventQuery) => Promise<readonly EventRow[]>;
  /** Held and orphaned lanes by name. */
  readLanes: (query: LaneQuery) => Promise<readonly HeldLaneRow[]>;
  readLane: (lane: string) => Promise<Readonly<{ row: LaneRow | undefined; queue: readonly Waiter[] }>>;
  readCounters: () => Promise<Counters>;
  /** Asked after rows were, it is never older than they are: what is missing below them is then known as pruned. */
  readCountersNow: () => Promise<Counters>;
  /** The oldest row of a list, if it has any. */
  readOldestOf: <Name extends ListName>(list: Name) => Promise<ListedRow<Name> | undefined>;
  readOverview: (query: OverviewQuery) => Promise<Overview>;

  /** Grows with every change, also of a queue. A store that other processes write to has none. */
  version?: () => number;

  /** Calls back after each commit with its events, oldest first, before the turns of that commit are answered. */
  subscribe: (listener: (events: readonly EventRow[]) => void) => () => void;

  /**
   * Calls back when events that were handed out are gone, and so what they told: somebody has put the database back to
   * an earlier state. Everybody has to look again. A store that nobody can change under its process has none.
   */
  onRewind?: (listener: () => void) => () => void;

  /** Whether a write could be kept now; rejects when not. */
  probe: () => Promise<void>;
  /** Resolves with the reason when nothing can be kept any more until the store is opened anew. */
  gone?: Promise<string>;
  /** Refuses new turns, finishes those under way, and lets go of the rows. */
  close: () => Promise<void>;
}>;

/** One read-decide-write. `decide` is synchronous and pure: it may be called again on fresher rows. */
export type Turn<Answer> = Readonly<{
  /** Taken however many wait for a commit: it gives back something that would be lost without it. */
  isOwed?: boolean | undefined;
  /** The rows that it decides on. With a lane comes its queue. */
  asks?: Asks | undefined;
  /** Committed rows that the turn may remove. */
  prune?: Pruned | undefined;
  decide: (view: View) => Outcome<Answer>;
}>;

/** The keys of rows, kind by kind. */
export type Asks = { readonly [Name in TurnKind]?: readonly KeyOf<Name>[] | undefined };

/** What names one row of a kind. */
export type KeyOf<Name extends TurnKind> = Row<Name>[(typeof schema)[Name]['key'][0] & keyof Row<Name>];

export type Find = <Name extends TurnKind>(kind: Name, key: KeyOf<Name>) => Row<Name> | undefined;

/** The rows that a turn asked for, as no other turn can change them before this one is over. */
export type View = Readonly<{
  now: number;
  /** The last time that nobody could renew, if there was one. */
  pause?: Pause | undefined;
  /** Up to the turn before this one. */
  counters: Counters;
  /** Throws for a row that the turn has not asked for: not every store could have it at hand. */
  find: Find;
  /** Who waits for a lane, first come first. */
  queue: (lane: string) => readonly Waiter[];
}>;

/** A refusal may come with changes: time that passed can hand a lane to a waiter while a newcomer is refused. */
export type Outcome<Answer> = Changes & (Readonly<{ answer: Answer }> | Readonly<{ refusal: BusError }>);

export type Changes = Readonly<{
  /** Rows that are new, and rows as they are from now on. A new row of a log has the next id. */
  rows?: { readonly [Name in TurnKind]?: readonly Row<Name>[] | undefined } | undefined;
  /** By lane. */
  queues?: ReadonlyMap<string, readonly Waiter[]> | undefined;
  events?: readonly NewEvent[] | undefined;
  /** Removes what the turn asked to prune. */
  isPruned?: boolean | undefined;
}>;

export type MessageQuery = Readonly<{
  topic?: string | undefined;
  sender?: string | undefined;
  /** Ids after this one, oldest first. */
  sinceId?: number | undefined;
  /** Ids before this one, newest first. Neither: the newest first. */
  beforeId?: number | undefined;
  limit: number;
  /** The row whose body takes all bodies beyond so many bytes is the last: what follows is not even loaded. */
  bytesMax?: number | undefined;
}>;

export type EventQuery = Readonly<{ sinceId: number }> & Pick<MessageQuery, 'limit' | 'bytesMax'>;

export type LaneQuery = Readonly<{ owner?: string | undefined; after?: string | undefined; limit: number }>;

export type OverviewQuery = Readonly<{
  lists: readonly ListName[];
  lanesMax: number;
  waitersMax: number;
}>;

/** One consistent look at everything that the status shows. */
export type Overview = Readonly<{
  now: number;
  live: readonly HeldLaneRow[];
  orphaned: readonly HeldLaneRow[];
  liveCount: number;
  orphanedCount: number;
  lists: Lists;
  queues: readonly Readonly<{ lane: string; queue: readonly Waiter[] }>[];
  waiterCount: number;
  counters: Counters;
}>;

/** The lists that were asked for; the others are empty. */
export type Lists = { readonly [Name in ListName]: readonly ListedRow<Name>[] };
