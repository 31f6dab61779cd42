import { effectOf } from './followed.ts';
import type { BusEvent, Lane, LaneEvent, Status, Waiter } from './rows.ts';
import { isLaneEvent } from './rows.ts';

/** A lane with a holder, live or gone without a release. */
export type HeldLane = Lane & Readonly<{ isOrphaned: boolean }>;

export type Lanes = ReturnType<typeof createLanes>;

/**
 * Who holds what: the last status of the bus, and on top of it the events that are younger.
 *
 * Whether a lease ran out is the bus's to say. The page only knows when it is worth asking.
 */
export function createLanes() {
  let held = new Map<string, HeldLane>();
  let queues = new Map<string, readonly Waiter[]>();
  let uncounted = { live: 0, orphaned: 0, waiting: 0 };
  const orphanedAt = new Map<string, number>();

  function takeStatus(status: Status, younger: readonly LaneEvent[]): void {
    held = new Map();
    for (const lane of status.active_lanes) held.set(lane.lane, { ...lane, isOrphaned: false });
    for (const lane of status.orphaned_claims) {
      held.set(lane.lane, { ...lane, isOrphaned: true });
      orphanedAt.set(toHoldKey(lane.lane, lane.fence), Date.parse(lane.expires_at));
    }
    queues = groupByLane(status.waiting);
    const { _meta: meta } = status;
    uncounted = {
      live: Math.max(0, meta.active_lane_count - status.active_lanes.length),
      orphaned: Math.max(0, meta.orphaned_claim_count - status.orphaned_claims.length),
      waiting: Math.max(0, meta.waiter_count - status.waiting.length),
    };
    for (const event of younger) apply(event);
  }

  /** Whether the event changed who holds what. */
  function apply(event: BusEvent): boolean {
    const { mark } = effectOf(event);
    if (!isLaneEvent(event) || !mark) return false;
    const before = held.get(event.lane);
    if (before && before.fence > event.fence) return false;
    if (mark === 'release') return held.delete(event.lane);
    held.set(event.lane, toHeldLane(event));
    const queue = queues.get(event.lane);
    if (queue?.[0]?.owner === event.owner) queues.set(event.lane, queue.slice(1));
    return true;
  }

  return {
    takeStatus,
    apply,
    get: (lane: string) => held.get(lane),
    all: () => [...held.values()],
    waitersFor: (lane: string): readonly Waiter[] => queues.get(lane) ?? [],
    waiters: () => [...queues.values()].flat(),
    /** When the lease of that hold ran out, if the page saw it orphaned. */
    orphanedAt: (lane: string, fence: number) => orphanedAt.get(toHoldKey(lane, fence)),
    /** The counts, with what the bus left out of a long status. */
    counts() {
      const orphaned = [...held.values()].filter(({ isOrphaned }) => isOrphaned).length;
      const waiting = [...queues.values()].reduce((sum, queue) => sum + queue.length, 0);
      return {
        live: held.size - orphaned + uncounted.live,
        orphaned: orphaned + uncounted.orphaned,
        waiting: waiting + uncounted.waiting,
      };
    },
    uncounted: () => uncounted,
  };
}

/** When the next lease runs out; infinity when none is live. */
export function nextExpiry(lanes: readonly HeldLane[]): number {
  return Math.min(
    ...lanes.filter(({ isOrphaned }) => !isOrphaned).map(({ expires_at }) => Date.parse(expires_at)),
    Number.POSITIVE_INFINITY,
  );
}

function toHoldKey(lane: string, fence: number): string {
  return `${lane} ${fence}`;
}

function toHeldLane(event: LaneEvent): HeldLane {
  const { lane, owner, fence, ts, lease_s = 0, expires_at = ts } = event;
  const times = { claimed_at: ts, heartbeat_at: ts, expires_at };
  return { lane, owner, fence, ...times, lease_s, expires_in_s: lease_s, isOrphaned: false };
}

function groupByLane(waiting: readonly Waiter[]): Map<string, readonly Waiter[]> {
  const groups = new Map<string, Waiter[]>();
  for (const waiter of waiting) {
    const queue = groups.get(waiter.lane);
    if (queue) queue.push(waiter);
    else groups.set(waiter.lane, [waiter]);
  }
  return groups;
}
