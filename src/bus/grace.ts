import { limits } from '../contract/limits.ts';
import type { Pause } from '../store/clock.ts';
import type { LaneRow } from '../store/rows.ts';

/**
 * The row with the time that a pause of the bus gives its holder back.
 *
 * While the bus is stopped nobody can renew. It may have been stopped with the whole machine, holders and all, when a
 * laptop sleeps, or alone, by SIGSTOP or a paused container. Either way a holder that did everything right finds its
 * lease over when time goes on. So whoever held a live lease when the pause began gets long enough after it to renew
 * once more: careful holders renew at a third of the lease, so they get that third, and some more for a machine that
 * has just woken up. The lease ends then, or when it would have ended anyway, whichever is later.
 *
 * Three things make this safe. No claim is decided during a pause, so no lane is granted twice: a thief that asks as
 * soon as time goes on is refused. A lease that was over when the pause began stays over, because somebody may have
 * been told so. And the same pause gives the same end however often it is applied, so nothing has to remember whether
 * it was: after a renewal the lease ends later than that by itself, since no grace is longer than the lease.
 *
 * A laptop that sleeps all night wakes up for a few seconds now and then, too short for anybody to renew. So each pause
 * knows the one before it, and they are applied in turn: who had grace left when the next pause began gets new grace.
 */
export function withGrace(row: LaneRow | undefined, pause: Pause | undefined): LaneRow | undefined {
  if (!row || !pause) return row;
  const before = withGrace(row, pause.before) as LaneRow;
  const { hold } = before;
  if (!hold || hold.expiresAt <= pause.from) return before;
  const expiresAt = pause.to + graceSecondsOf(hold.leaseSeconds) * 1000;
  return expiresAt > hold.expiresAt ? { ...before, hold: { ...hold, expiresAt } } : before;
}

/** For how long after a pause a lease is live at least. */
function graceSecondsOf(leaseSeconds: number): number {
  return Math.min(leaseSeconds, Math.ceil(leaseSeconds / 3) + limits.pauseGraceExtraSeconds);
}
