import type { HeldLaneRow, LaneRow, Waiter } from './rows.ts';

/**
 * Who waits for what, over all lanes. A claim without scopes stands in the queue of its lane and concerns nobody else;
 * one with scopes may be blocked by any lane. So all queues are one line, in the order in which the claims came, as soon
 * as one of them has scopes.
 */
export type Queues = ReadonlyMap<string, readonly Waiter[]>;

/** The queues of the lanes that were asked for; all of them, where somebody waits with scopes. */
export type Line = Readonly<{ queues: Queues; hasScopes: boolean }>;

/** The line as changed queues leave it. */
export function withChangedQueues(line: Line, changed: Queues): Line {
  if (changed.size === 0) return line;
  const hasScopes = line.hasScopes || [...changed.values()].some((queue) => queue.some(isScopedWait));
  return hasScopes ? { queues: new Map([...line.queues, ...changed]), hasScopes } : line;
}

/** All who wait, first come first. */
export function toWaiters({ queues }: Line): readonly Waiter[] {
  return [...queues.values()].flat().sort((one, other) => one.since - other.since);
}

export function withChangedLanes(
  scoped: ReadonlyMap<string, HeldLaneRow>,
  changed: ReadonlyMap<string, LaneRow>,
): ReadonlyMap<string, HeldLaneRow> {
  const concerned = [...changed].filter(([lane, row]) => isScopedLane(row) || scoped.has(lane));
  if (concerned.length === 0) return scoped;
  const lanes = new Map(scoped);
  for (const [lane, row] of concerned) {
    if (isScopedLane(row)) lanes.set(lane, row);
    else lanes.delete(lane);
  }
  return lanes;
}

export function isScopedLane(row: LaneRow): row is HeldLaneRow {
  return row.hold?.paths !== undefined;
}

export function isScopedWait({ paths }: Waiter): boolean {
  return paths !== undefined;
}
