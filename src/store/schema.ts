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
 * Every kind of row, declared once. The SQL of both stores, encoding and decoding, the draft of a batch, copies, exports
 * and the checks of every row follow from here. A column or a kind that is new also needs a migration, which a test
 * compares with what stands here.
 */

/** What the store counts as it goes, so that nobody ever has to count the log. There is one row of it. */
const counters = {
  lastMessageId: integer,
  lastEventId: integer,
  messageCount: integer,
  pendingActionFlagCount: named('pending_flag_count', integer),
  /** A lane without a row may have been granted up to this fence: in what was lost, or before an import. */
  fenceFloor: integer,
  /** When the last turn was judged: the clock never goes below it again. */
  clockMilliseconds: named('clock_ms', integer),
  /** Where the log begins: nothing up to these ids is kept any more. */
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

/** A lane somebody claimed once. The row outlives the hold, because the fence must grow for ever. */
const lanes = {
  lane: name,
  /** An owner's time-limited right to the lane: live until `expiresAt`, orphaned from then on. */
  hold: optionalGroup({
    owner: name,
    claimedAt: time,
    heartbeatAt: time,
    expiresAt: time,
    leaseSeconds: named('lease_s', integer),
  }),
  fence: integer,
} as const;

/** A claim that waits for its turn. It lives as long as the connection of the caller. */
const waiters = {
  ticket: name,
  lane: name,
  owner: text,
  since: time,
  leaseSeconds: named('lease_s', integer),
  repeat: optionalGroup({
    key: named('repeat_key', text),
    fingerprint: named('repeat_fingerprint', text),
  }),
} as const;

/** The first answer to a request with an idempotency key. */
const answers = { key: name, fingerprint: text, answer: text, keptUntil: time } as const;

/**
 * An event tells what happened then. It names its message, of which only what never changes is read when the event is
 * shown; what was set later, it keeps itself as it was at that moment.
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
    /** When the lease that this ends had run out; events of older versions lack it. */
    previousExpiresAt: optional(time),
    releasedBy: optional(text),
    /** Names the waiter that was served, so that the process holding its connection can answer it. */
    ticket: optional(hidden(name)),
    /** Whether a repeat of its request was answered with it at once. If its caller is gone, somebody still has the lane. */
    isAnswered: optional(hidden(flag)),
    /** The other waiters of that owner, who have the lane with it: each renewed the lease in turn. */
    renewed: optional(hidden(json<readonly Readonly<{ ticket: string; leaseSeconds: number }>[]>())),
  }),
} as const;

/** Ids that were given once and are gone: what was lost, and known to be lost. */
const holes = { log: word<'messages' | 'events'>(), firstId: integer, lastId: integer } as const;

/** How one kind of row is kept. */
export type Kind = Readonly<{
  fields: Shape;
  /** The fields by which one row is told from all others, and in whose order all are read. */
  key: readonly string[];
  /** The fields of each further index. A condition makes it an index of those rows only. */
  indexes?: Readonly<Record<string, Readonly<{ fields: readonly string[]; where?: Where }>>>;
  /** A log: ids are given in order by these counters, and only `later` fields ever change. */
  log?: Readonly<{ last: CounterName; count: CounterName }>;
  /** So many rows are kept in memory where one process is the only writer. */
  cachedMax?: number;
}>;

/** Which rows: by what is in a field, or whether anything is. */
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
    },
    cachedMax: limits.lanesCachedMax,
  },
  answers: { fields: answers, key: ['key'], indexes: { answers_by_age: { fields: ['keptUntil'] } } },
  waiters: { fields: waiters, key: ['ticket'] },
  counters: { fields: counters, key: [] },
  holes: { fields: holes, key: ['log', 'firstId'] },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof schema;
/** For several kinds it is any of their rows. */
export type Row<Name extends KindName> = Name extends KindName
  ? RowOf<(typeof schema)[Name]['fields']>
  : never;
export type Counters = RowOf<typeof counters>;
export type CounterName = {
  [Name in keyof Counters]: Counters[Name] extends number ? Name : never;
}[keyof Counters];

/** The kinds that a turn asks for and changes, row by row. */
export const turnKinds = ['messages', 'lanes', 'answers'] as const satisfies readonly KindName[];
export type TurnKind = (typeof turnKinds)[number];

/** The kinds that are copied and checked, in the order in which a copy is filled. */
export const copiedKinds = ['messages', 'events', 'lanes', 'answers'] as const satisfies readonly KindName[];
export type CopiedKind = (typeof copiedKinds)[number];

/** The rows that the status lists, newest first. Where there is a counter, it counts all of them. */
export const lists = {
  recentMessages: { of: 'messages', where: {}, rowsMax: limits.statusRecentMessagesMax },
  pendingActionFlags: {
    of: 'messages',
    where: schema.messages.indexes.messages_flagged.where,
    counter: 'pendingActionFlagCount',
    rowsMax: limits.statusFlagsMax,
  },
} as const satisfies Record<string, List>;

export type List = Readonly<{ of: TurnKind; where: Where; counter?: CounterName; rowsMax: number }>;
export type ListName = keyof typeof lists;
export type ListedRow<Name extends ListName> = Row<(typeof lists)[Name]['of']>;
export const listNames = Object.keys(lists) as readonly ListName[];

/** What is set later is kept by an event as it was then. */
function laterFieldsOf<Fields extends Shape>(fields: Fields): LaterFields<Fields> {
  const found = Object.entries(fields).filter(([, field]) => 'isLater' in field && field.isLater);
  return Object.fromEntries(found) as LaterFields<Fields>;
}

type LaterFields<Fields extends Shape> = {
  [Name in keyof Fields as Fields[Name] extends { isOptional: true; type: string }
    ? Name
    : never]: Fields[Name];
};
