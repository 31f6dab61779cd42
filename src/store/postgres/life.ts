import { chainPauses, type Pause, pausesKnownMax } from '../clock.ts';
import type { Session } from './session.ts';

/**
 * Pauses of the world, for buses that share a database.
 *
 * A bus that stops alone is no pause: the others go on serving, and holders can renew there. It is one when no bus
 * serves at all, because the machine sleeps on which everything runs, all of them are stopped or killed, or the
 * database is away. Nobody is there to see it begin. So the database keeps a time up to which buses may serve. While
 * any lane is held each bus moves it ahead every two seconds, and no bus decides anything beyond it without moving it
 * first. When it is found in the past, it is known for sure that nobody decided anything since then: that is the
 * pause, from there to now. The transaction that finds it writes it down, in the order of commits, before it decides
 * anything, so all buses apply the same pauses to the same leases.
 *
 * The time is given ahead, so the last seconds before a stop count as served. A lease that would have ended in them gets no
 * grace; one that is renewed at a third of nine seconds or more always has longer than that.
 */
export type Life = Readonly<{
  servedUntil: number;
  /** Oldest first. */
  pauses: readonly Pause[];
  /** Whether any lease ends after that time: else a pause concerns nobody. */
  isHeldAfter: boolean;
}>;

/** What becomes of it when a bus decides something at `now`; nothing changes while that is within the time given. */
export function decideLife(life: Life, now: number): Life {
  const { servedUntil, isHeldAfter } = life;
  if (now <= servedUntil) return life;
  const pauses = isHeldAfter ? [...life.pauses, { from: servedUntil, to: now }] : life.pauses;
  return { ...life, servedUntil: now + aheadMilliseconds, pauses: pauses.slice(-pausesKnownMax) };
}

const aheadMilliseconds = 4_000;
/** What must be left of it at least, from one sign of life to the next: more than lies between two of them. */
const leftMillisecondsMin = 3_000;

/** As the rules take them: the last one, which knows those before it. */
export function toLastPause({ pauses }: Life): Pause | undefined {
  return pauses.reduce<Pause | undefined>((before, pause) => chainPauses(pause, before), undefined);
}

const heldAfter = 'EXISTS (SELECT FROM lanes WHERE owner IS NOT NULL AND expires_at > life.served_until)';

/** Locked, no other bus gives a sign of life until the transaction is over. */
export async function readLife(ask: Session['ask'], { isLocked = false } = {}): Promise<Life> {
  const [found] = await ask<{ served_until: number; pauses: string; is_held_after: boolean }>(
    `SELECT served_until, pauses, ${heldAfter} AS is_held_after FROM life ${isLocked ? 'FOR UPDATE' : ''}`,
  );
  if (!found) throw new Error('the database has lost its signs of life: restore a backup');
  const pairs = JSON.parse(found.pauses) as readonly (readonly [number, number])[];
  return {
    servedUntil: found.served_until,
    pauses: pairs.map(([from, to]) => ({ from, to })),
    isHeldAfter: found.is_held_after,
  };
}

export async function writeLife(ask: Session['ask'], { servedUntil, pauses }: Life): Promise<void> {
  const pairs = pauses.map(({ from, to }) => [from, to]);
  await ask('UPDATE life SET served_until = $1, pauses = $2', servedUntil, JSON.stringify(pairs));
}

/** Moves the time ahead while a lane is held. Never once it has passed: then a transaction has to note the pause. */
export async function showServing(ask: Session['ask'], now: number): Promise<void> {
  await ask(
    `UPDATE life SET served_until = $1
     WHERE served_until >= $2 AND served_until < $3 AND ${heldAfter}`,
    now + aheadMilliseconds,
    now,
    now + leftMillisecondsMin,
  );
}
