import { limits } from '../contract/limits.ts';
import type { Pause } from '../store/clock.ts';
import type { LaneRow } from '../store/rows.ts';

/**
 * The lane's row with the extra time that its holder gets after a pause (grace).
 *
 * What a pause is: a time in which no bus served, so nobody could renew. The bus may have stopped together with the
 * whole machine, holders included, as when a laptop sleeps. Or only the bus stopped, by SIGSTOP or in a paused
 * container. In both cases a holder that did everything right may find its lease expired when time goes on.
 *
 * What the holder gets: enough time to renew once. Careful holders renew after a third of the lease, so they get a
 * third of the lease, plus some seconds for a machine that has just woken up. The lease then ends at that time or at
 * its original end, whichever is later.
 *
 * Why this is safe: first, no claim is decided during a pause, so no lane is granted twice. Somebody who tries to
 * steal the lane right after the pause is refused. Second, a lease that had expired before the pause stays expired,
 * because somebody may have been told so. Third, applying the same pause again gives the same end, so nothing has to
 * remember whether it was applied. That holds after a renewal too: a renewed lease already ends later, because grace
 * is never longer than the lease.
 *
 * Several pauses: a laptop that sleeps all night wakes up for a few seconds now and then, too short for anybody to
 * renew. So each pause refers to the one before it, and they are applied in order. A holder that still had grace
 * when the next pause began gets new grace.
 */
export function withGrace(row: LaneRow | undefined, pause: Pause | undefined): LaneRow | undefined {
  if (!row || !pause) return row;
  const before = withGrace(row, pause.before) as LaneRow;
  const { hold } = before;
  if (!hold || hold.expiresAt <= pause.from) return before;
  const expiresAt = pause.to + graceSecondsOf(hold.leaseSeconds) * 1000;
  return expiresAt > hold.expiresAt ? { ...before, hold: { ...hold, expiresAt } } : before;
}

/** How long a lease is live after a pause, at least. */
function graceSecondsOf(leaseSeconds: number): number {
  return Math.min(leaseSeconds, Math.ceil(leaseSeconds / 3) + limits.pauseGraceExtraSeconds);
}
