import type {
  AnswerRow,
  Counters,
  EventRow,
  HeldLaneRow,
  LaneEventDetail,
  LaneRow,
  MessageRow,
  Waiter,
} from '../rows.ts';
import type { StoredEvent } from '../transfer.ts';
import type { SqlValue } from './session.ts';

/** What the columns hold, and how rows become columns and back. */

type Cell = string | number | boolean | null;

/** Rows as one array for each column: a statement takes a whole batch of them at once. */
export function toArrays(rows: readonly (readonly Cell[])[]): SqlValue[] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? null));
}

export type MessageColumns = Readonly<{
  id: number;
  topic: string;
  sender: string;
  body: string;
  action_flag: boolean;
  ts: number;
  acknowledged_by: string | null;
  acknowledged_at: number | null;
}>;

export function fromMessageColumns(columns: MessageColumns): MessageRow {
  return {
    id: columns.id,
    topic: columns.topic,
    sender: columns.sender,
    body: columns.body,
    actionFlag: columns.action_flag,
    ts: columns.ts,
    acknowledgedBy: columns.acknowledged_by ?? undefined,
    acknowledgedAt: columns.acknowledged_at ?? undefined,
  };
}

export function toMessageValues(row: MessageRow): Cell[] {
  return [row.id, row.topic, row.sender, row.body, row.actionFlag, row.ts];
}

export function toAcknowledgedValues(row: MessageRow): Cell[] {
  return [row.acknowledgedBy ?? null, row.acknowledgedAt ?? null, row.id];
}

export type LaneColumns = Readonly<{
  lane: string;
  fence: number;
  owner: string | null;
  claimed_at: number;
  heartbeat_at: number;
  expires_at: number;
  lease_s: number;
}>;

export function fromLaneColumns(columns: LaneColumns): LaneRow {
  if (columns.owner === null) return { lane: columns.lane, fence: columns.fence };
  return fromHeldLaneColumns(columns);
}

export function fromHeldLaneColumns(columns: LaneColumns): HeldLaneRow {
  return {
    lane: columns.lane,
    fence: columns.fence,
    hold: {
      owner: columns.owner ?? '',
      claimedAt: columns.claimed_at,
      heartbeatAt: columns.heartbeat_at,
      expiresAt: columns.expires_at,
      leaseSeconds: columns.lease_s,
    },
  };
}

export function toLaneValues({ lane, fence, hold }: LaneRow): Cell[] {
  if (!hold) return [lane, fence, null, null, null, null, null];
  return [lane, fence, hold.owner, hold.claimedAt, hold.heartbeatAt, hold.expiresAt, hold.leaseSeconds];
}

/** An event joined with its message, whose columns are null when it has none. */
export type EventColumns = Readonly<{
  event_id: number;
  kind: string;
  event_ts: number;
  lane: string | null;
  detail: string | null;
}> &
  (MessageColumns | Readonly<{ id: null }>);

export function fromEventColumns(columns: EventColumns): EventRow {
  return {
    id: columns.event_id,
    kind: columns.kind as EventRow['kind'],
    ts: columns.event_ts,
    message: columns.id === null ? undefined : fromMessageColumns(columns),
    lane: columns.lane ?? undefined,
    detail: columns.detail === null ? undefined : (JSON.parse(columns.detail) as LaneEventDetail),
  };
}

export function toEventValues(row: EventRow): Cell[] {
  return toStoredEventValues(row, row.message?.id);
}

export function toStoredEventValues(row: Omit<EventRow, 'message'>, messageId: number | undefined): Cell[] {
  const detail = row.detail ? JSON.stringify(row.detail) : null;
  return [row.id, row.kind, row.ts, messageId ?? null, row.lane ?? null, detail];
}

export type StoredEventColumns = Readonly<{
  id: number;
  kind: string;
  ts: number;
  message_id: number | null;
  lane: string | null;
  detail: string | null;
}>;

export function fromStoredEventColumns(columns: StoredEventColumns): StoredEvent {
  return {
    id: columns.id,
    kind: columns.kind as StoredEvent['kind'],
    ts: columns.ts,
    messageId: columns.message_id ?? undefined,
    lane: columns.lane ?? undefined,
    detail: columns.detail === null ? undefined : (JSON.parse(columns.detail) as LaneEventDetail),
  };
}

export type AnswerColumns = Readonly<{
  key: string;
  fingerprint: string;
  answer: string;
  kept_until: number;
}>;

export function fromAnswerColumns(columns: AnswerColumns): AnswerRow {
  const { key, fingerprint, answer, kept_until } = columns;
  return { key, fingerprint, answer, keptUntil: kept_until };
}

export function toAnswerValues({ key, fingerprint, answer, keptUntil }: AnswerRow): Cell[] {
  return [key, fingerprint, answer, keptUntil];
}

export type WaiterColumns = Readonly<{
  ticket: string;
  lane: string;
  owner: string;
  since: number;
  lease_s: number;
  repeat_key: string | null;
  repeat_fingerprint: string | null;
}>;

export function fromWaiterColumns(columns: WaiterColumns): Waiter {
  const { ticket, owner, since, lease_s: leaseSeconds } = columns;
  const { repeat_key: key, repeat_fingerprint: fingerprint } = columns;
  const waiter = { ticket, owner, since, leaseSeconds };
  return key === null || fingerprint === null ? waiter : { ...waiter, repeat: { key, fingerprint } };
}

export function toWaiterValues(lane: string, waiter: Waiter): Cell[] {
  const { ticket, owner, since, leaseSeconds, repeat } = waiter;
  return [ticket, lane, owner, since, leaseSeconds, repeat?.key ?? null, repeat?.fingerprint ?? null];
}

export type CounterColumns = Readonly<{
  last_message_id: number;
  last_event_id: number;
  message_count: number;
  pending_flag_count: number;
  fence_floor: number;
  clock_ms: number;
  pruned_message_id: number;
  pruned_event_id: number;
  /** What the clock of the database says. */
  now_ms: number;
}>;

export function fromCounterColumns(columns: CounterColumns): Counters {
  return {
    lastMessageId: columns.last_message_id,
    lastEventId: columns.last_event_id,
    messageCount: columns.message_count,
    pendingFlagCount: columns.pending_flag_count,
    pruned: { messageId: columns.pruned_message_id, eventId: columns.pruned_event_id },
  };
}

export function toCounterValues(counters: Counters, clockMilliseconds: number): Cell[] {
  const { lastMessageId, lastEventId, messageCount, pendingFlagCount, pruned } = counters;
  const ends = [lastMessageId, lastEventId, messageCount, pendingFlagCount];
  return [...ends, pruned.messageId, pruned.eventId, clockMilliseconds];
}
