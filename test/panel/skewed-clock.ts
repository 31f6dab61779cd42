import type { Clock } from '../../src/store/clock.ts';

/** A clock that runs like a real one, and can be set forward: a day can be played in a second. */
export type SkewedClock = Readonly<{
  clockFrom: () => Clock;
  /** Minutes between its time and the real one; negative before it. */
  setMinutes: (minutes: number) => void;
}>;

export function createSkewedClock(startMinutes: number): SkewedClock {
  const startedAt = Date.now();
  const startedMonotonic = performance.now();
  let skewMilliseconds = startMinutes * 60_000;
  const now = () => Math.floor(startedAt + performance.now() - startedMonotonic + skewMilliseconds);

  function schedule(at: number, action: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = () => {
      // Short enough to notice soon that the clock was set.
      timer = setTimeout(
        () => (now() < at ? arm() : action()),
        Math.min(Math.max(at - now(), 0), 200),
      ).unref();
    };
    arm();
    return () => clearTimeout(timer);
  }

  return {
    clockFrom: () => ({ now, schedule }),
    setMinutes(minutes) {
      skewMilliseconds = minutes * 60_000;
    },
  };
}
