import type { Output } from '../contract/contract.ts';
import { laterFields } from '../store/event-rows.ts';
import type { EventRow, HeldLaneRow, MessageRow, Waiter } from '../store/rows.ts';
import { createShow } from '../store/shown.ts';
import { toTimestamp } from '../store/timestamp.ts';
import { type GrantDecision, type HeldRow, secondsLeft } from './lanes.ts';

/** Converts rows to their wire form: `snake_case`, times as text, no nulls. */

export const toMessage = createShow('messages') as (row: MessageRow) => Output<'postMessage'>;

const toShownLane = createShow('lanes');

export function toLane(row: HeldLaneRow, now: number): Output<'claimLane'>['lane'] {
  const shown = { ...toShownLane(row), expires_in_s: secondsLeft(row.hold, now) };
  return shown as Output<'claimLane'>['lane'];
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

/** An event shows its message with the later fields as they were at that time. */
const toShownEvent = createShow('events', ['messageId', ...laterFields]);

export function toEvent({ message, ...event }: EventRow): Output<'readEvents'>['events'][number] {
  const shown = toShownEvent(event);
  return (message ? { ...shown, message: toMessage(message) } : shown) as ShownEvent;
}

type ShownEvent = Output<'readEvents'>['events'][number];
