import type { Row } from './schema.ts';

/** The rows that the rules are about, as the schema declares them. Times are milliseconds since 1970. */
export type MessageRow = Row<'messages'>;
export type LaneRow = Row<'lanes'>;
export type Hold = NonNullable<LaneRow['hold']>;
/** A lane with its hold: what a list of held lanes is made of. */
export type HeldLaneRow = LaneRow & Readonly<{ hold: Hold }>;
export type Waiter = Row<'waiters'> &
  Readonly<{
    /** The process that held the caller's connection is gone: nobody would hear of a grant. A repeat elsewhere may still take the place. */
    isAway?: boolean | undefined;
  }>;
/** What makes two requests the same request. */
export type Repeat = NonNullable<Waiter['repeat']>;
export type AnswerRow = Row<'answers'>;

/** An event as it is kept: it names its message, which may be gone. */
export type StoredEvent = Row<'events'>;
export type EventDetail = NonNullable<StoredEvent['detail']>;
/** An event with its message as it was then. */
export type EventRow = Omit<StoredEvent, 'messageId'> & Readonly<{ message?: MessageRow | undefined }>;
export type NewEvent = Omit<EventRow, 'id' | 'ts'>;

export type { Counters } from './schema.ts';
export type Pruned = Row<'counters'>['pruned'];
/** Ids that were given once and are gone. */
export type Hole = Row<'holes'>;
