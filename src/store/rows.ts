import type { EventKind } from '../contract/events.ts';

/** Times in rows are milliseconds since 1970 by the store's clock. */
export type MessageRow = Readonly<{
  id: number;
  topic: string;
  sender: string;
  body: string;
  actionFlag: boolean;
  ts: number;
  acknowledgedBy?: string | undefined;
  acknowledgedAt?: number | undefined;
}>;

/** An owner's time-limited right to a lane: live until `expiresAt`, orphaned from then on. */
export type Hold = Readonly<{
  owner: string;
  claimedAt: number;
  heartbeatAt: number;
  expiresAt: number;
  leaseSeconds: number;
}>;

/** A lane somebody claimed once. The row outlives the hold, because the fence must grow for ever. */
export type LaneRow = Readonly<{ lane: string; fence: number; hold?: Hold | undefined }>;

/** A lane with its hold: what a list of held lanes is made of. */
export type HeldLaneRow = LaneRow & Readonly<{ hold: Hold }>;

/** A claim that waits for its turn. It lives as long as the connection of the caller, so it is not kept on disk. */
export type Waiter = Readonly<{
  ticket: string;
  owner: string;
  since: number;
  leaseSeconds: number;
  repeat?: Repeat | undefined;
  /** The process that held the caller's connection is gone: nobody would hear of a grant. A repeat elsewhere may still take the place. */
  isAway?: boolean | undefined;
}>;

/** What makes two requests the same request. */
export type Repeat = Readonly<{ key: string; fingerprint: string }>;

/** The first answer to a request with an idempotency key. */
export type AnswerRow = Repeat & Readonly<{ answer: string; keptUntil: number }>;

export type LaneEventDetail = Readonly<{
  owner: string;
  fence: number;
  leaseSeconds?: number | undefined;
  expiresAt?: number | undefined;
  previousOwner?: string | undefined;
  /** When the lease that this ends had run out; events of older versions lack it. */
  previousExpiresAt?: number | undefined;
  releasedBy?: string | undefined;
  /** Names the waiter that was served, so that the process holding its connection can answer it. */
  ticket?: string | undefined;
  /** Whether a repeat of its request was answered with it at once: then the lane is not with nobody, if it is gone. */
  isAnswered?: boolean | undefined;
  /** The other waiters of that owner, who have the lane with it: each renewed the lease in turn. */
  renewed?: readonly Pick<Waiter, 'ticket' | 'leaseSeconds'>[] | undefined;
}>;

export type NewEvent = Readonly<{
  kind: EventKind;
  message?: MessageRow | undefined;
  lane?: string | undefined;
  detail?: LaneEventDetail | undefined;
}>;

export type EventRow = NewEvent & Readonly<{ id: number; ts: number }>;

/** Where the log begins: nothing up to these ids is kept any more. */
export type Pruned = Readonly<{ messageId: number; eventId: number }>;

/** What the store counts as it goes, so that nobody ever has to count the log. */
export type Counters = Readonly<{
  lastMessageId: number;
  lastEventId: number;
  messageCount: number;
  pendingFlagCount: number;
  pruned: Pruned;
}>;
