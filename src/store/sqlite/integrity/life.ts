import { uptime } from 'node:os';
import { readLife, writeLife } from './mark.ts';

/** What a bus writes down about itself while somebody holds a lane, for the bus after it. */
export type SignsOfLife = Readonly<{ stop: () => void }>;

const signMilliseconds = 1_000;
/** A sign is given ahead of time, and longer than its successor can be late: at the end of it nobody was served. */
const aheadMilliseconds = 3_000;

/**
 * Shows until when this process may have served. Who holds nothing needs no grace afterwards, so an idle bus leaves the
 * disk alone; `isHeldAfter` says whether any lease ends after a time, also one that is over by now.
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
      // A stop is believed also after a power cut, so it must not be found once it is over.
      writeLife(path, { aliveUntil, isStopped }, isFirst || isStopped);
    } catch {
      // Without one nobody gets a grace, which is how it was before there were any.
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
 * Until when the bus before this one served at the latest. Signs are not forced to the disk, so after a power cut the
 * last one may be older than that, and nothing is known: a lease that was over must not come back to life.
 */
export function readAliveUntil(path: string, bootedAt = Date.now() - uptime() * 1000): number | undefined {
  const { aliveUntil, isStopped } = readLife(path) ?? {};
  return isStopped || (aliveUntil ?? 0) >= bootedAt ? aliveUntil : undefined;
}
