import type { Row } from './schema.ts';

/** The rows that the rules work on, as the schema declares them. Times are milliseconds since 1970. */
export type MessageRow = Row<'messages'>;
export type LaneRow = Row<'lanes'>;
export type Hold = NonNullable<LaneRow['hold']>;
/** How the hold before this one ended. */
export type PreviousHold = NonNullable<LaneRow['previous']>;
/** A lane together with its hold, for lists of held lanes. */
export type HeldLaneRow = LaneRow & Readonly<{ hold: Hold }>;
export type Waiter = Row<'waiters'> &
  Readonly<{
    /**
     * The process that kept the caller's connection is gone, so nobody would hear of a grant. A repeat of the
     * request at another process may still take over the place.
     */
    isAway?: boolean | undefined;
  }>;
/** Identifies a repeated request. */
export type Repeat = NonNullable<Waiter['repeat']>;
export type AgentRow = Row<'agents'>;
export type AnswerRow = Row<'answers'>;

/** An event as it is stored. It names its message, which may have been pruned. */
export type StoredEvent = Row<'events'>;
export type EventDetail = NonNullable<StoredEvent['detail']>;
/** An event with its message as it was at that moment. */
export type EventRow = Omit<StoredEvent, 'messageId'> & Readonly<{ message?: MessageRow | undefined }>;
export type NewEvent = Omit<EventRow, 'id' | 'ts'>;

export type { Counters } from './schema.ts';
export type Pruned = Row<'counters'>['pruned'];
/** Ids that were assigned once but no longer exist. */
export type Hole = Row<'holes'>;
