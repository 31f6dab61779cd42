import type { Output } from '../contract/contract.ts';
import type { EventRow, HeldLaneRow, MessageRow, Waiter } from '../store/rows.ts';
import { type GrantDecision, type HeldRow, secondsLeft } from './lanes.ts';

/** Rows as the wire shows them: `snake_case`, times as text, nothing that is null. */

export function toTimestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  const known = seconds.get(second) ?? writeSecond(second);
  return `${known}${String(milliseconds - second * 1000).padStart(3, '0')}Z`;
}

/** The answers of a while share their seconds, and writing out a date takes longer than deciding a claim. */
const seconds = new Map<number, string>();
const secondsMax = 1_000;

function writeSecond(second: number): string {
  if (seconds.size >= secondsMax) seconds.clear();
  const text = new Date(second * 1000).toISOString().slice(0, -'000Z'.length);
  seconds.set(second, text);
  return text;
}

export function toMessage(row: MessageRow): Output<'postMessage'> {
  const { id, topic, sender, body, actionFlag, ts, acknowledgedBy, acknowledgedAt } = row;
  const message = { id, topic, sender, body, action_flag: actionFlag, ts: toTimestamp(ts) };
  if (acknowledgedBy === undefined || acknowledgedAt === undefined) return message;
  return { ...message, acknowledged_by: acknowledgedBy, acknowledged_at: toTimestamp(acknowledgedAt) };
}

export function toLane({ lane, fence, hold }: HeldLaneRow, now: number): Output<'claimLane'>['lane'] {
  return {
    lane,
    owner: hold.owner,
    claimed_at: toTimestamp(hold.claimedAt),
    heartbeat_at: toTimestamp(hold.heartbeatAt),
    expires_at: toTimestamp(hold.expiresAt),
    lease_s: hold.leaseSeconds,
    expires_in_s: secondsLeft(hold, now),
    fence,
  };
}

export function toGrant(
  decision: GrantDecision | 'heartbeat',
  row: HeldRow,
  now: number,
): Output<'claimLane'> {
  return { ok: true, decision, lane: toLane(row, now), lease_s: row.hold.leaseSeconds };
}

export function toWaiting(lane: string, queue: readonly Waiter[]): Output<'getLane'>['waiting'] {
  return queue.map(({ owner, since }, index) => ({
    lane,
    owner,
    since: toTimestamp(since),
    place: index + 1,
  }));
}

export function toEvent({
  id,
  kind,
  ts,
  message,
  lane,
  detail,
}: EventRow): Output<'readEvents'>['events'][number] {
  const event = { id, kind, ts: toTimestamp(ts) };
  if (message) return { ...event, message: toMessage(message) };
  if (!detail) return event;
  const { owner, fence, leaseSeconds, expiresAt, previousOwner, previousExpiresAt, releasedBy } = detail;
  return {
    ...event,
    lane,
    owner,
    fence,
    ...(leaseSeconds !== undefined && { lease_s: leaseSeconds }),
    ...(expiresAt !== undefined && { expires_at: toTimestamp(expiresAt) }),
    ...(previousOwner !== undefined && { previous_owner: previousOwner }),
    ...(previousExpiresAt !== undefined && { previous_expires_at: toTimestamp(previousExpiresAt) }),
    ...(releasedBy !== undefined && { released_by: releasedBy }),
  };
}
