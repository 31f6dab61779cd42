import type { EventKind } from '../contract/events.ts';
import { limits } from '../contract/limits.ts';
import {
  flag,
  group,
  hidden,
  integer,
  json,
  later,
  name,
  named,
  optional,
  optionalDocument,
  optionalGroup,
  type RowOf,
  type Shape,
  text,
  time,
  word,
} from './columns.ts';

/**
 * Declares every kind of row, once. The SQL of both stores, encoding and decoding, batches, copies, exports and the
 * checks of rows are derived from this. A new column or kind also needs a migration; a test compares the migrations
 * with this file.
 */

/** Running totals, so that nobody ever has to count the log. The table has one row. */
const counters = {
  lastMessageId: integer,
  lastEventId: integer,
  messageCount: integer,
  pendingActionFlagCount: named('pending_flag_count', integer),
  /** A lane without a row may already have had fences up to this one: before a loss of rows, or before an import. */
  fenceFloor: integer,
  /** When the last turn was decided. The clock never goes below it. */
  clockMilliseconds: named('clock_ms', integer),
  /** Where the log begins: everything up to these ids has been pruned. */
  pruned: group({
    messageId: named('pruned_message_id', integer),
    eventId: named('pruned_event_id', integer),
  }),
} as const;

const messages = {
  id: integer,
  topic: name,
  sender: text,
  body: text,
  actionFlag: flag,
  ts: time,
  acknowledgedBy: later(text),
  acknowledgedAt: later(time),
} as const;

/** A lane that somebody claimed once. The row stays after the hold ends, because the fence must keep growing. */
const lanes = {
  lane: name,
  /** An owner's time-limited right to the lane: live until `expiresAt`, orphaned after that. */
  hold: optionalGroup({
    owner: name,
    claimedAt: time,
    heartbeatAt: time,
    expiresAt: time,
    leaseSeconds: named('lease_s', integer),
    /** What the owner is doing, in its own words. */
    note: optional(text),
    /** The scopes that are held with the lane; never an empty list. */
    paths: optional(json<readonly string[]>()),
  }),
  fence: integer,
  /** How the hold before this one ended. */
  previous: optionalGroup({
    previousOwner: text,
    endedAt: time,
    how: word<HowEnded>(),
    previousNote: optional(text),
  }),
} as const;

type HowEnded = 'released' | 'expired';
type PreviousHold = NonNullable<RowOf<typeof lanes>['previous']>;

/** A claim that waits for the lane. It lasts as long as the caller's connection. */
const waiters = {
  ticket: name,
  lane: name,
  owner: text,
  since: time,
  leaseSeconds: named('lease_s', integer),
  note: optional(text),
  paths: optional(json<readonly string[]>()),
  repeat: optionalGroup({
    key: named('repeat_key', text),
    fingerprint: named('repeat_fingerprint', text),
  }),
} as const;

/** Whoever acts under one id: one that joined, or one that was only heard. */
const agents = {
  agent: name,
  client: optional(text),
  place: optional(text),
  joinedAt: time,
  /** When it was heard last, as far as that was written. */
  seenAt: time,
  leftAt: optional(time),
  /** The sessions that acted under it last, oldest first. */
  sessions: json<readonly AgentSession[]>(),
} as const;

export type AgentSession = Readonly<{
  session: string;
  client?: string | undefined;
  place?: string | undefined;
  joinedAt: number;
  leftAt?: number | undefined;
}>;

/** Which agent a session is. */
const sessions = { session: name, agent: text } as const;

/** The last number that was given to an id of this stem: it is never given again. */
const stems = { stem: name, lastNumber: integer } as const;

/** The first response to a request with an idempotency key. */
const answers = { key: name, fingerprint: text, answer: text, keptUntil: time } as const;

/**
 * An event records what happened at one moment. It refers to its message and reads only the fields that never change
 * from there. Fields that are set later are stored in the event itself, as they were then.
 */
const events = {
  id: integer,
  kind: word<EventKind>(),
  ts: time,
  messageId: optional(integer),
  lane: optional(text),
  detail: optionalDocument('detail', {
    ...laterFieldsOf(messages),
    owner: optional(text),
    fence: optional(integer),
    leaseSeconds: optional(named('lease_s', integer)),
    expiresAt: optional(time),
    previousOwner: optional(text),
    /** When the lease that this event ends had expired. Events from older versions lack it. */
    previousExpiresAt: optional(time),
    releasedBy: optional(text),
    note: optional(text),
    paths: optional(json<readonly string[]>()),
    /** How the hold before this one ended: whoever is served is told. */
    previous: optional(hidden(json<PreviousHold>())),
    agent: optional(text),
    client: optional(text),
    place: optional(text),
    /** Names the waiter that got the lane, so that the process with its connection can send the response. */
    ticket: optional(hidden(name)),
    /**
     * Whether the waiter's repeated request already received this grant. If its caller is gone, somebody else still
     * has the lane.
     */
    isAnswered: optional(hidden(flag)),
    /** Other waiting claims of the same owner. They share the lane with it, and each renewed the lease in turn. */
    renewed: optional(hidden(json<readonly Readonly<{ ticket: string; leaseSeconds: number }>[]>())),
  }),
} as const;

/** Ids that were assigned once but whose rows are missing, and known to be. */
const holes = { log: word<'messages' | 'events'>(), firstId: integer, lastId: integer } as const;

/** How one kind of row is stored. */
export type Kind = Readonly<{
  fields: Shape;
  /** The fields that identify a row. Rows are also read in the order of these fields. */
  key: readonly string[];
  /** The fields of each additional index. With a condition, the index covers only the matching rows. */
  indexes?: Readonly<Record<string, Readonly<{ fields: readonly string[]; where?: Where }>>>;
  /** Makes the kind a log: these counters assign its ids in order, and only `later` fields ever change. */
  log?: Readonly<{ last: CounterName; count: CounterName }>;
  /** How many rows to cache in memory when one process is the only writer. */
  cachedMax?: number;
}>;

/** Selects rows by the value of a field, or by whether it has one. */
export type Where = Readonly<Record<string, 'present' | 'absent' | true>>;

export const schema = {
  messages: {
    fields: messages,
    key: ['id'],
    indexes: {
      messages_by_topic: { fields: ['topic', 'id'] },
      messages_by_sender: { fields: ['sender', 'id'] },
      messages_flagged: { fields: ['id'], where: { actionFlag: true, acknowledgedAt: 'absent' } },
    },
    log: { last: 'lastMessageId', count: 'messageCount' },
  },
  events: { fields: events, key: ['id'] },
  lanes: {
    fields: lanes,
    key: ['lane'],
    indexes: {
      lanes_by_expiry: { fields: ['expiresAt'], where: { owner: 'present' } },
      lanes_by_owner: { fields: ['owner', 'lane'], where: { owner: 'present' } },
      lanes_scoped: { fields: ['lane'], where: { paths: 'present' } },
      lanes_by_end: { fields: ['endedAt'], where: { owner: 'absent', previousOwner: 'present' } },
    },
    cachedMax: limits.lanesCachedMax,
  },
  agents: {
    fields: agents,
    key: ['agent'],
    indexes: { agents_by_seen: { fields: ['seenAt', 'agent'] } },
  },
  sessions: { fields: sessions, key: ['session'] },
  stems: { fields: stems, key: ['stem'] },
  answers: { fields: answers, key: ['key'], indexes: { answers_by_age: { fields: ['keptUntil'] } } },
  waiters: { fields: waiters, key: ['ticket'] },
  counters: { fields: counters, key: [] },
  holes: { fields: holes, key: ['log', 'firstId'] },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof schema;
/** Given several kinds, the union of their rows. */
export type Row<Name extends KindName> = Name extends KindName
  ? RowOf<(typeof schema)[Name]['fields']>
  : never;
export type Counters = RowOf<typeof counters>;
export type CounterName = {
  [Name in keyof Counters]: Counters[Name] extends number ? Name : never;
}[keyof Counters];

/** The kinds that turns read and change row by row. */
export const turnKinds = [
  'messages',
  'lanes',
  'agents',
  'sessions',
  'stems',
  'answers',
] as const satisfies readonly KindName[];
export type TurnKind = (typeof turnKinds)[number];

/** The kinds that are copied and checked, in the order in which a copy fills them. */
export const copiedKinds = [
  'messages',
  'events',
  'lanes',
  'agents',
  'sessions',
  'stems',
  'answers',
] as const satisfies readonly KindName[];
export type CopiedKind = (typeof copiedKinds)[number];

/**
 * The lists of rows that the status shows, newest first. A counter gives the full number of rows where one is named.
 */
export const lists = {
  recentMessages: { of: 'messages', where: {}, rowsMax: limits.statusRecentMessagesMax },
  recentLanes: {
    of: 'lanes',
    where: schema.lanes.indexes.lanes_by_end.where,
    newestBy: 'endedAt',
    rowsMax: limits.statusRecentLanesMax,
  },
  pendingActionFlags: {
    of: 'messages',
    where: schema.messages.indexes.messages_flagged.where,
    counter: 'pendingActionFlagCount',
    rowsMax: limits.statusFlagsMax,
  },
} as const satisfies Record<string, List>;

export type List = Readonly<{
  of: TurnKind;
  where: Where;
  /** The field that says which is newest, where it is not the key. */
  newestBy?: string;
  counter?: CounterName;
  rowsMax: number;
}>;
export type ListName = keyof typeof lists;
export type ListedRow<Name extends ListName> = Row<(typeof lists)[Name]['of']>;
export const listNames = Object.keys(lists) as readonly ListName[];

/** The fields that an event stores as they were then. */
function laterFieldsOf<Fields extends Shape>(fields: Fields): LaterFields<Fields> {
  const found = Object.entries(fields).filter(([, field]) => 'isLater' in field && field.isLater);
  return Object.fromEntries(found) as LaterFields<Fields>;
}

type LaterFields<Fields extends Shape> = {
  [Name in keyof Fields as Fields[Name] extends { isOptional: true; type: string }
    ? Name
    : never]: Fields[Name];
};
