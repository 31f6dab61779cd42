import { uptime } from 'node:os';

/** The time that decides about leases. All timers come from here too, so a test can control both. */
export type Clock = Readonly<{
  /** Milliseconds since 1970. Never goes backwards. */
  now: () => number;
  /** Calls back once the clock has reached `at`, never earlier. Returns a function that cancels it. */
  schedule: (at: number, callback: () => void) => () => void;
  /** The last time span in which nobody could be served, if there was one. */
  lastPause?: () => Pause | undefined;
  /** Calls back soon after each pause. Returns a function that stops it. */
  onPause?: (listener: (pause: Pause) => void) => () => void;
  stop?: () => void;
}>;

/**
 * From the last sign of life to the next one, in the clock's time. `before` is the previous pause, if there was one.
 */
export type Pause = Readonly<{ from: number; to: number; before?: Pause | undefined }>;

/** How many pauses are remembered. Rows that are read soon after each pause store the extra time it gave. */
export const pausesKnownMax = 16;

/** Puts a pause in front of the ones that were known before. */
export function chainPauses({ from, to }: Pause, before: Pause | undefined): Pause {
  return { from, to, before: cutChain(before, pausesKnownMax - 1) };
}

function cutChain(pause: Pause | undefined, length: number): Pause | undefined {
  if (!pause || length <= 0) return undefined;
  return { ...pause, before: cutChain(pause.before, length - 1) };
}

/** `setTimeout` uses 32 bits, so longer waits are split. */
const timerMillisecondsMax = 2_000_000_000;
const tickMilliseconds = 1_000;
/** If a process gives no sign of life for longer than this, it was stopped or its machine slept. */
const pauseMillisecondsMin = 3_000;

type Sources = Readonly<{
  /** The latest time the store remembers, so that time does not run backwards across a restart. */
  floor?: number;
  /** Until when the previous process may have served. Since then nobody could renew. */
  aliveUntil?: number | undefined;
  wallNow?: () => number;
  monotonicNow?: () => number;
  /** Like the monotonic clock, but it also counts the time the machine sleeps. */
  bootNow?: () => number;
}>;

/**
 * Starts at the machine's wall-clock time and then follows its monotonic clock. So when somebody changes the wall
 * clock, no lease comes back to life and none ends early.
 *
 * Sleep of the machine is the hard part. On some machines the monotonic clock runs during sleep, on others it stands
 * still. To a stopped process it always seems to have run. Leases end by real time, so a clock that stood still has
 * to catch up: each tick compares it with the time since boot, which includes sleep, and adds the difference. Either
 * way time then jumps from the last sign of life to now. That jump is a pause. The rules give holders back the time
 * in which they could not renew (`bus/grace.ts`).
 */
export function createClock(sources: Sources = {}): Clock {
  const { floor = 0, wallNow = Date.now, monotonicNow = () => performance.now() } = sources;
  const { aliveUntil, bootNow = () => uptime() * 1000 } = sources;
  const startedAt = Math.max(wallNow(), floor);
  const startedMonotonic = monotonicNow();
  const startedBoot = bootNow();
  const listeners = new Set<(pause: Pause) => void>();
  let slept = 0;
  let lastSign = startedAt;
  let pause: Pause | undefined;

  function now(): number {
    const time = startedAt + slept + Math.floor(monotonicNow() - startedMonotonic);
    if (time - lastSign > pauseMillisecondsMin) notePause({ from: lastSign, to: time });
    lastSign = time;
    return time;
  }

  function notePause(noted: Pause): void {
    const chained = chainPauses(noted, pause);
    pause = chained;
    setImmediate(() => {
      for (const listener of listeners) listener(chained);
    });
  }

  /** Also adds the time the machine slept, if the monotonic clock does not count it. */
  function tick(): void {
    const missed = bootNow() - startedBoot - (monotonicNow() - startedMonotonic) - slept;
    if (missed > pauseMillisecondsMin) slept += Math.floor(missed);
    now();
  }

  function schedule(at: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const delay = Math.min(Math.max(at - now(), 0), timerMillisecondsMax);
      timer = setTimeout(ring, delay);
      timer.unref();
    };
    // Timers may fire slightly early, and a lease that ends at `at` is still valid a millisecond before.
    const ring = () => (now() < at ? arm() : callback());
    arm();
    return () => clearTimeout(timer);
  }

  function onPause(listener: (pause: Pause) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  if (aliveUntil !== undefined && aliveUntil < startedAt) notePause({ from: aliveUntil, to: startedAt });
  const ticking = setInterval(tick, tickMilliseconds).unref();
  return { now, schedule, lastPause: () => pause, onPause, stop: () => clearInterval(ticking) };
}
