import type { Output } from '../contract/contract.ts';
import { laterFields } from '../store/event-rows.ts';
import type { EventRow, HeldLaneRow, LaneRow, MessageRow, PreviousHold, Waiter } from '../store/rows.ts';
import { schema } from '../store/schema.ts';
import { createShow } from '../store/shown.ts';
import { toTimestamp } from '../store/timestamp.ts';
import { type GrantDecision, type HeldRow, secondsLeft } from './lanes.ts';

/** Converts rows to their wire form: `snake_case`, times as text, no nulls. */

const previousFields = Object.keys(schema.lanes.fields.previous.fields);

export const toMessage = createShow('messages') as (row: MessageRow) => Output<'postMessage'>;

const toShownLane = createShow('lanes', previousFields);

export function toLane(row: HeldLaneRow, now: number): Output<'claimLane'>['lane'] {
  const shown = { ...toShownLane(row), expires_in_s: secondsLeft(row.hold, now) };
  return shown as Output<'claimLane'>['lane'];
}

/** A lane in a list, which exports are made of, with how its last hold ended. */
export function toListedLane(row: HeldLaneRow, now: number): Output<'listLanes'>['lanes'][number] {
  const lane = toLane(row, now);
  return row.previous ? { ...lane, previous: toPrevious(row.previous) } : lane;
}

export function toGrant(
  decision: GrantDecision | 'heartbeat',
  row: HeldRow,
  now: number,
): Output<'claimLane'> {
  const granted = { ok: true as const, decision, lane: toLane(row, now), lease_s: row.hold.leaseSeconds };
  const isNew = decision === 'claim' || decision === 'steal';
  return isNew && row.previous ? { ...granted, previous: toPrevious(row.previous) } : granted;
}

function toPrevious({ previousOwner, endedAt, how, previousNote }: PreviousHold) {
  const note = previousNote === undefined ? {} : { note: previousNote };
  return { owner: previousOwner, ended_at: toTimestamp(endedAt), how, ...note };
}

/** A lane that nobody holds any more, with what came of it. */
export function toRecentLane({ lane, previous }: LaneRow): Output<'getBusStatus'>['recent_lanes'][number] {
  if (!previous) throw new Error(`lane ${lane} was never held`);
  return { lane, ...toPrevious(previous) };
}

export function toWaiting(
  lane: string,
  queue: readonly Waiter[],
  blockersOf: (waiter: Waiter) => readonly string[] = () => [],
): Output<'getLane'>['waiting'] {
  return queue.map((waiter, index) => toWaiter(lane, waiter, index, blockersOf(waiter)));
}

function toWaiter(
  lane: string,
  { owner, since, note, paths }: Waiter,
  index: number,
  blockers: readonly string[],
): Output<'getLane'>['waiting'][number] {
  return {
    lane,
    owner,
    since: toTimestamp(since),
    place: index + 1,
    ...(note !== undefined && { note }),
    ...(paths !== undefined && { paths: [...paths] }),
    ...(blockers.length > 0 && { blocked_by: [...blockers] }),
  };
}

/** An event shows its message with the later fields as they were at that time. */
const toShownEvent = createShow('events', ['messageId', ...laterFields]);

export function toEvent({ message, ...event }: EventRow): Output<'readEvents'>['events'][number] {
  const shown = toShownEvent(event);
  return (message ? { ...shown, message: toMessage(message) } : shown) as ShownEvent;
}

type ShownEvent = Output<'readEvents'>['events'][number];
