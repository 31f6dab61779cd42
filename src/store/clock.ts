/** The time that judges leases, and the only place timers come from, so that a test can be both. */
export type Clock = Readonly<{
  /** Milliseconds since 1970. Never smaller than an answer given before. */
  now: () => number;
  /** Runs `deed` once the clock has reached `at`, never before; gives back the way to call it off. */
  schedule: (at: number, deed: () => void) => () => void;
}>;

/** `setTimeout` counts in 32 bits; longer waits are cut into pieces. */
const timerMillisecondsMax = 2_000_000_000;

/**
 * A clock that starts at the machine's wall time and from then on follows its monotonic one: when somebody sets the
 * machine's clock back or forward, no lease comes back to life and none ends early.
 *
 * `floor` is the latest time the store remembers, so that time does not run backwards over a restart either.
 */
export function createClock({
  floor = 0,
  wallNow = Date.now,
  monotonicNow = () => performance.now(),
}: Readonly<{ floor?: number; wallNow?: () => number; monotonicNow?: () => number }> = {}): Clock {
  const startedAt = Math.max(wallNow(), floor);
  const startedMonotonic = monotonicNow();
  const now = () => startedAt + Math.floor(monotonicNow() - startedMonotonic);

  function schedule(at: number, deed: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const delay = Math.min(Math.max(at - now(), 0), timerMillisecondsMax);
      timer = setTimeout(ring, delay);
      timer.unref();
    };
    // Timers may fire a little early, and a lease that ends at `at` still stands a millisecond before it.
    const ring = () => (now() < at ? arm() : deed());
    arm();
    return () => clearTimeout(timer);
  }

  return { now, schedule };
}
