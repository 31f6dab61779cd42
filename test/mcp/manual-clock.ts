import type { Timers } from '../../src/lease/timers.ts';

export type ManualClock = Readonly<{
  timers: Timers;
  /** Lets the time pass, ringing on the way whatever is due; what that sets going has come to rest at the end. */
  pass(seconds: number): Promise<void>;
  /** Time goes by and nothing can run; what is due rings with the next `pass`. */
  sleep(seconds: number): void;
  /** How many timers are set. */
  timerCount(): number;
}>;

/** Time that moves only when the test says so. */
export function createManualClock(): ManualClock {
  const timers = new Map<() => void, number>();
  let now = 0;
  return {
    timers: {
      now: () => now,
      after(milliseconds, callback) {
        const ring = () => callback();
        timers.set(ring, now + milliseconds);
        return () => timers.delete(ring);
      },
    },
    async pass(seconds) {
      const end = now + seconds * 1000;
      for (;;) {
        await settle();
        const [next] = [...timers].sort(([, a], [, b]) => a - b);
        if (!next || next[1] > end) break;
        const [ring, at] = next;
        timers.delete(ring);
        now = Math.max(now, at);
        ring();
      }
      now = end;
    },
    sleep(seconds) {
      now += seconds * 1000;
    },
    timerCount: () => timers.size,
  };
}

/** Everything that waits for promises alone gets its turn before the next round of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
