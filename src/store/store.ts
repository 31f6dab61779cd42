import type { BusError } from '../contract/errors.ts';
import type { Clock, Pause } from './clock.ts';
import type {
  AgentRow,
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
 * The interface of a store. A store knows rows, not rules. It makes five promises, and the rules build on them:
 *
 * - turns: each turn reads, decides and writes; turns on the same lane, message or idempotency key run one after the
 *   other;
 * - all or nothing: the changes of a turn are committed together or not at all;
 * - order: message ids and event ids are assigned in commit order without gaps, so a reader that follows the ids never
 *   misses a row;
 * - durability: a turn resolves only once its changes would survive a power cut;
 * - time: one clock decides about every lease, and it never runs backwards.
 *
 * Every function rejects with the `BusError` `unavailable` when the store cannot serve it now.
 */
export type Store = Readonly<{
  /** The word for `_meta.store`. */
  kind: string;
  /** Where the rows are, for messages: a path, or a URL without its password. */
  location: string;
  clock: Clock;

  /** Runs one turn. Turns that arrive while a commit is in progress share the next one. */
  take: <Answer>(turn: Turn<Answer>) => Promise<Answer>;

  readMessages: (query: MessageQuery) => Promise<readonly MessageRow[]>;
  /** Oldest first. */
  readEvents: (query: EventQuery) => Promise<readonly EventRow[]>;
  /** Held and orphaned lanes, by name. */
  readLanes: (query: LaneQuery) => Promise<readonly HeldLaneRow[]>;
  readAgents: (query: AgentQuery) => Promise<readonly AgentRow[]>;
  /** Lanes whose hold, live or not, has scopes. */
  readScopedLanes: () => Promise<readonly HeldLaneRow[]>;
  readLane: (lane: string) => Promise<Readonly<{ row: LaneRow | undefined; queue: readonly Waiter[] }>>;
  readCounters: () => Promise<Counters>;
  /**
   * Read this after the rows: it is never older than they are. Rows that are missing below its `pruned` ids are then
   * known to be pruned.
   */
  readCountersNow: () => Promise<Counters>;
  /** The oldest row of a list, if there is one. */
  readOldestOf: <Name extends ListName>(list: Name) => Promise<ListedRow<Name> | undefined>;
  readOverview: (query: OverviewQuery) => Promise<Overview>;

  /** Grows with every change, including changes of a queue. A store that other processes also write to has none. */
  version?: () => number;

  /** Calls back after each commit with its events, oldest first, and before the turns of that commit resolve. */
  subscribe: (listener: (events: readonly EventRow[]) => void) => () => void;

  /**
   * Calls back when events that were already handed out no longer exist, because somebody reset the database to an
   * earlier state. All readers have to read again. A store that only one process can change has none.
   */
  onRewind?: (listener: () => void) => () => void;

  /** Whether a write would succeed now; rejects if not. */
  probe: () => Promise<void>;
  /** Resolves with the reason when nothing can be written any more until the store is opened again. */
  gone?: Promise<string>;
  /** Refuses new turns, finishes those in progress, and releases the store. */
  close: () => Promise<void>;
}>;

/**
 * One unit of read, decide and write. `decide` is synchronous and pure, and may be called again with fresher rows.
 */
export type Turn<Answer> = Readonly<{
  /**
   * Accepted no matter how many turns wait, because refusing it would lose something, for example a lane that
   * somebody gives back.
   */
  isOwed?: boolean | undefined;
  /** The rows it decides on. A lane comes with its queue. */
  asks?: Asks | undefined;
  /** Committed rows that the turn may remove. */
  prune?: Pruned | undefined;
  decide: (view: View) => Outcome<Answer>;
}>;

/** The keys of rows, kind by kind; and the lanes with scopes, which a turn that claims some has to see all of. */
export type Asks = { readonly [Name in TurnKind]?: readonly KeyOf<Name>[] | undefined } & Readonly<{
  scopes?: boolean | undefined;
}>;

/** What identifies one row of a kind. */
export type KeyOf<Name extends TurnKind> = Row<Name>[(typeof schema)[Name]['key'][0] & keyof Row<Name>];

export type Find = <Name extends TurnKind>(kind: Name, key: KeyOf<Name>) => Row<Name> | undefined;

/** The rows that a turn asked for. No other turn can change them until this one is done. */
export type View = Readonly<{
  now: number;
  /** The last time span in which nobody could renew, if there was one. */
  pause?: Pause | undefined;
  /** As the previous turn left them. */
  counters: Counters;
  /** Throws for a row that the turn did not ask for, because not every store would have it loaded. */
  find: Find;
  /** Who waits for a lane, in order of arrival. */
  queue: (lane: string) => readonly Waiter[];
  /**
   * All who wait, in the order in which they came, when a claim with scopes is among them. Then the lanes that they wait
   * for, and the lanes with scopes, are here too, whatever the turn has asked for. Undefined where nobody waits so.
   */
  line: () => readonly Waiter[] | undefined;
  /** Lanes whose hold, live or not, has scopes; for a turn that asked for them, or where there is a line. */
  scopedLanes: () => readonly HeldLaneRow[];
}>;

/** A refusal may include changes: an expired lease can pass the lane to a waiter while the newcomer is refused. */
export type Outcome<Answer> = Changes & (Readonly<{ answer: Answer }> | Readonly<{ refusal: BusError }>);

export type Changes = Readonly<{
  /** New rows, and changed rows in their new state. A new log row must have the next id. */
  rows?: { readonly [Name in TurnKind]?: readonly Row<Name>[] | undefined } | undefined;
  /** The keys of rows that are to be gone, of kinds that are neither a log nor counted. */
  removed?: Asks | undefined;
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
  /** Ids before this one, newest first. With neither, the newest rows first. */
  beforeId?: number | undefined;
  limit: number;
  /**
   * The row that takes the total size of the bodies past this limit is the last one; later rows are not even loaded.
   */
  bytesMax?: number | undefined;
}>;

export type EventQuery = Readonly<{ sinceId: number }> & Pick<MessageQuery, 'limit' | 'bytesMax'>;

export type LaneQuery = Readonly<{
  owner?: string | undefined;
  /** Only the lanes of the ids that belong to this one, as `claude-3/tests` does to `claude-3`. */
  under?: string | undefined;
  after?: string | undefined;
  limit: number;
}>;

export type AgentQuery = Readonly<{
  /** Only the ids that belong to this one. */
  under?: string | undefined;
  after?: string | undefined;
  /** By id when left out, or by when they were heard. */
  order?: 'id' | 'newest' | 'oldest' | undefined;
  seenBefore?: number | undefined;
  limit: number;
}>;

export type OverviewQuery = Readonly<{
  lists: readonly ListName[];
  lanesMax: number;
  waitersMax: number;
}>;

/** Everything the status shows, from one snapshot. */
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

/** The lists that were asked for; all others are empty. */
export type Lists = { readonly [Name in ListName]: readonly ListedRow<Name>[] };
