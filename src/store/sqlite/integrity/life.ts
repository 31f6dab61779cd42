import { uptime } from 'node:os';
import { readLife, writeLife } from './mark.ts';

/** What a bus records about itself while somebody holds a lane, for the bus that starts after it. */
export type SignsOfLife = Readonly<{ stop: () => void }>;

const signMilliseconds = 1_000;
/**
 * Each sign of life covers some time ahead, more than the next sign can be late. So once it runs out, nobody is
 * being served.
 */
const aheadMilliseconds = 3_000;

/**
 * Records until when this process may have served. A bus where nobody holds a lane needs no grace later, so it
 * leaves the disk alone. `isHeldAfter` says whether any lease ends after a given time, including leases that are
 * over by now.
 */
export function showLife({
  path,
  now,
  isHeldAfter,
}: Readonly<{ path: string; now: () => number; isHeldAfter: (time: number) => boolean }>): SignsOfLife {
  let shownAt = now();

  function show({ isFirst = false, isStopped = false }): void {
    const time = now();
    try {
      const aliveUntil = isStopped ? time : time + aheadMilliseconds;
      // After a power cut the recorded stop still counts. So it must be forced to disk when it is written and when
      // it is withdrawn.
      writeLife(path, { aliveUntil, isStopped }, isFirst || isStopped);
    } catch {
      // Without a sign of life nobody gets grace, which only means that leases end on time.
    }
    shownAt = time;
  }

  function tick(): void {
    if (isHeldAfter(shownAt)) show({});
    else shownAt = now();
  }

  show({ isFirst: true });
  const timer = setInterval(tick, signMilliseconds).unref();
  return {
    stop() {
      clearInterval(timer);
      show({ isStopped: true });
    },
  };
}

/**
 * The latest time at which the previous bus may have served. Signs of life are not forced to disk. After a power cut
 * the last one on disk may be too old, so nothing is known then: a lease that had expired must not come back to
 * life.
 */
export function readAliveUntil(path: string, bootedAt = Date.now() - uptime() * 1000): number | undefined {
  const { aliveUntil, isStopped } = readLife(path) ?? {};
  return isStopped || (aliveUntil ?? 0) >= bootedAt ? aliveUntil : undefined;
}
