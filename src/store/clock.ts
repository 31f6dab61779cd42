import { uptime } from 'node:os';

/** The time that judges leases, and the only place timers come from, so that a test can be both. */
export type Clock = Readonly<{
  /** Milliseconds since 1970. Never smaller than an answer given before. */
  now: () => number;
  /** Calls back once the clock has reached `at`, never earlier. Returns a function that cancels it. */
  schedule: (at: number, callback: () => void) => () => void;
  /** The last time in which nobody could be served, if there was one. */
  lastPause?: () => Pause | undefined;
  /** Calls back soon after each pause. Returns a function that stops it. */
  onPause?: (listener: (pause: Pause) => void) => () => void;
  stop?: () => void;
}>;

/** From the last sign of life to the first one after it, in the clock's time; and the pause before it, if there was one. */
export type Pause = Readonly<{ from: number; to: number; before?: Pause | undefined }>;

/** So many pauses are known, one before the other. Whoever reads the rows soon after each keeps what it gave. */
export const pausesKnownMax = 16;

/** The pause, after those that were known already. */
export function chainPauses({ from, to }: Pause, before: Pause | undefined): Pause {
  return { from, to, before: cutChain(before, pausesKnownMax - 1) };
}

function cutChain(pause: Pause | undefined, length: number): Pause | undefined {
  if (!pause || length <= 0) return undefined;
  return { ...pause, before: cutChain(pause.before, length - 1) };
}

/** `setTimeout` counts in 32 bits; longer waits are cut into pieces. */
const timerMillisecondsMax = 2_000_000_000;
const tickMilliseconds = 1_000;
/** A process that shows no sign of life for longer than this was stopped, or its machine slept. */
const pauseMillisecondsMin = 3_000;

type Sources = Readonly<{
  /** The latest time the store remembers: time does not run backwards over a restart either. */
  floor?: number;
  /** Until when the process before this one may have served: since then nobody could renew. */
  aliveUntil?: number | undefined;
  wallNow?: () => number;
  monotonicNow?: () => number;
  /** Like the monotonic one, but going on while the machine sleeps. */
  bootNow?: () => number;
}>;

/**
 * A clock that starts at the machine's wall time and then follows its monotonic clock: when somebody sets the wall clock
 * back or forward, no lease comes back to life and none ends early.
 *
 * A sleep of the machine is the hard part. On some machines the monotonic clock goes on meanwhile, on others it stands
 * still, and a stopped process sees the first kind everywhere. Leases end by real time, so a clock that stood still
 * must catch up: each tick compares it with the time since the machine was started, which counts sleep, and adds what
 * is missing. Either way the time then jumps from the last sign of life to now. That jump is a pause, and the rules
 * give back what holders could not do in it (`bus/grace.ts`).
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

  /** Also adds the time that the machine slept, where the monotonic clock leaves it out. */
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
    // Timers may fire a little early, and a lease that ends at `at` still stands a millisecond before it.
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
