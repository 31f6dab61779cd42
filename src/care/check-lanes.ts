import { isGrant } from '../contract/events.ts';
import type { LaneRow, StoredEvent } from '../store/rows.ts';
import { type Check, createProblems, toCount } from './check.ts';

/** The last grant of a lane, according to the events that are kept. */
type LastGrant = Readonly<{ fence: number; owner: string | undefined }>;

/**
 * Checks lanes against their events: fences grow with each grant, and the last owner to get a lane has it. `now`
 * separates held lanes from those whose lease has expired.
 */
export function createLaneCheck(now: number) {
  const problems = createProblems();
  const lastGrants = new Map<string, LastGrant>();
  let laneCount = 0;
  let heldCount = 0;
  let orphanedCount = 0;

  function seeEvent({ id, kind, lane, detail }: StoredEvent): void {
    if (lane === undefined || !detail) return;
    const { fence = 0 } = detail;
    const before = lastGrants.get(lane);
    if (before && fence < before.fence + (isGrant(kind) ? 1 : 0))
      problems.add(`the fence of lane ${lane} went from ${before.fence} to ${fence} at event ${id}`);
    if (isGrant(kind)) lastGrants.set(lane, { fence, owner: detail.owner });
    else if (kind === 'lane_released') lastGrants.set(lane, { fence, owner: undefined });
  }

  function seeLane(row: LaneRow): void {
    laneCount += 1;
    if (row.hold && row.hold.expiresAt > now) heldCount += 1;
    else if (row.hold) orphanedCount += 1;
    const { lane, fence, hold } = row;
    const last = lastGrants.get(lane);
    lastGrants.delete(lane);
    if (last && fence < last.fence)
      problems.add(`lane ${lane} has fence ${fence}, and ${last.fence} was given before`);
    if (last && last.owner !== hold?.owner)
      problems.add(
        `lane ${lane} is held by ${hold?.owner ?? 'nobody'}, and was given to ${last.owner ?? 'nobody'} last`,
      );
    if (hold && !(hold.claimedAt <= hold.heartbeatAt && hold.heartbeatAt < hold.expiresAt))
      problems.add(`the lease of lane ${lane} ends before it begins`);
  }

  function end(): Check {
    for (const lane of lastGrants.keys()) problems.add(`lane ${lane} has events and is not there`);
    return problems.toCheck(
      'lanes',
      `${toCount(laneCount, 'lane')}: ${heldCount} held, ${orphanedCount} orphaned; every fence grew`,
    );
  }

  return { seeEvent, seeLane, end };
}
