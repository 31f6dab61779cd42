import { chainPauses, type Pause, pausesKnownMax } from '../clock.ts';
import type { Session } from './session.ts';

/**
 * Detects pauses when several buses share a database. A pause is a time in which no holder could renew its lease,
 * because no bus served. After a pause the rules give holders extra time (grace).
 *
 * One bus that stops is not a pause: the other buses go on serving, and holders can renew there. It is a pause when
 * no bus serves at all. That happens when the machine that runs everything sleeps, when all buses are stopped or
 * killed, or when the database is unreachable. No bus is there to see such a pause begin, so it has to be recognised
 * afterwards.
 *
 * It works like this. The database stores `served_until`, a time up to which buses may serve. While any lane is
 * held, each bus moves it ahead every two seconds. No bus decides anything after that time without moving it ahead
 * first. So when a transaction finds that `served_until` is in the past, it knows for certain that no bus decided
 * anything between that time and now: that is the pause. The transaction writes the pause down before it decides
 * anything. Transactions are ordered, so all buses apply the same pauses to the same leases.
 *
 * `served_until` lies a few seconds in the future, so the last seconds before a stop count as served. A lease that
 * would have ended in those seconds gets no grace. A holder that renews after a third of its lease always has more
 * time left than that, as long as the lease is nine seconds or longer.
 */
export type Life = Readonly<{
  servedUntil: number;
  /** Oldest first. */
  pauses: readonly Pause[];
  /** Whether any lease ends after `servedUntil`; otherwise a pause affects nobody. */
  isHeldAfter: boolean;
}>;

/**
 * The signs of life after a bus decides something at `now`. Nothing changes while `now` is not past `servedUntil`.
 */
export function decideLife(life: Life, now: number): Life {
  const { servedUntil, isHeldAfter } = life;
  if (now <= servedUntil) return life;
  const pauses = isHeldAfter ? [...life.pauses, { from: servedUntil, to: now }] : life.pauses;
  return { ...life, servedUntil: now + aheadMilliseconds, pauses: pauses.slice(-pausesKnownMax) };
}

const aheadMilliseconds = 4_000;
/** How much of the served time must be left at each sign of life. It is more than the time between two signs. */
const leftMillisecondsMin = 3_000;

/** The last pause, as the rules expect it; it includes the ones before it. */
export function toLastPause({ pauses }: Life): Pause | undefined {
  return pauses.reduce<Pause | undefined>((before, pause) => chainPauses(pause, before), undefined);
}

const heldAfter = 'EXISTS (SELECT FROM lanes WHERE owner IS NOT NULL AND expires_at > life.served_until)';

/** With `isLocked`, no other bus gives a sign of life until this transaction ends. */
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

/**
 * Moves `served_until` ahead while a lane is held. Does nothing once that time has passed: then a transaction has to
 * record the pause.
 */
export async function showServing(ask: Session['ask'], now: number): Promise<void> {
  await ask(
    `UPDATE life SET served_until = $1
     WHERE served_until >= $2 AND served_until < $3 AND ${heldAfter}`,
    now + aheadMilliseconds,
    now,
    now + leftMillisecondsMin,
  );
}
