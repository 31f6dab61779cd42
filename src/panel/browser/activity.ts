import { effectOf } from './followed.ts';
import type { BusEvent, LaneEvent } from './rows.ts';
import { isLaneEvent } from './rows.ts';

/** What the timeline shows. */
export const activityMilliseconds = 3_600_000;

export type Activity = ReturnType<typeof createActivity>;

/** What happened to the lanes within the last hour, lane by lane, oldest first. */
export function createActivity() {
  const byLane = new Map<string, LaneEvent[]>();
  /** Nothing before this is known. */
  let knownSince = Number.POSITIVE_INFINITY;

  function add(event: BusEvent): void {
    if (!isLaneEvent(event) || !effectOf(event).mark) return;
    const events = byLane.get(event.lane);
    if (!events) byLane.set(event.lane, [event]);
    else if ((events.at(-1)?.id ?? 0) < event.id) events.push(event);
    else insert(events, event);
  }

  function prune(now: number): void {
    for (const [lane, events] of byLane) {
      const first = events.findIndex(({ ts }) => Date.parse(ts) >= now - activityMilliseconds);
      if (first < 0) byLane.delete(lane);
      else if (first > 0) events.splice(0, first);
    }
  }

  return {
    add,
    prune,
    of: (lane: string): readonly LaneEvent[] => byLane.get(lane) ?? [],
    isEmpty: () => byLane.size === 0,
    lanes: () => byLane.entries() as Iterable<readonly [string, readonly LaneEvent[]]>,
    know(since: number): void {
      knownSince = Math.min(knownSince, since);
    },
    knownSince: () => knownSince,
    clear(): void {
      byLane.clear();
      knownSince = Number.POSITIVE_INFINITY;
    },
  };
}

function insert(events: LaneEvent[], event: LaneEvent): void {
  const place = events.findIndex(({ id }) => id >= event.id);
  if (events[place]?.id !== event.id) events.splice(place, 0, event);
}
