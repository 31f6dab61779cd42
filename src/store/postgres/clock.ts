import { type Clock, createClock, type Pause } from '../clock.ts';
import { type Life, toLastPause } from './life.ts';
import type { Counted } from './read.ts';

/** Where the store gets the time from: the database's clock, or a clock that a test passes in. */
export type StoreClock = Readonly<{
  clock: Clock;
  /** The time at which a turn is decided, given the counters that were read in the same transaction. */
  judge: (counted: Times) => number;
  /**
   * A lower bound for the current time, for statements that compare times; null when the database's own clock is
   * right.
   */
  given: () => number | null;
  /** The time to write into the database when its own clock is behind it. */
  carried: () => number | undefined;
  /** Called whenever the signs of life were read. A clock passed in by a test reports its own pauses. */
  observeLife?: (life: Life) => void;
}>;

type Times = Pick<Counted, 'databaseNow' | 'clockMilliseconds'>;

/**
 * If the database's clock is behind by more than this, somebody set it back. Overlapping transactions explain
 * smaller differences.
 */
const behindMillisecondsMax = 250;

/** The time a test passes in, unless the database already remembers a later one. */
export function createGivenClock(clock: Clock): StoreClock {
  return {
    clock,
    judge: ({ clockMilliseconds }) => Math.max(clockMilliseconds, clock.now()),
    given: clock.now,
    carried: () => undefined,
  };
}

/**
 * The database's time. The database stores the latest time at which anything was decided, so time never runs
 * backwards for any bus. If somebody sets the database's clock back, or a standby with a different clock takes over,
 * time continues from the stored value, measured by the buses themselves. Leases then end when they would have ended
 * anyway, and all buses agree.
 */
export function createStoreClock(
  counted: Times,
  monotonicNow: () => number = () => performance.now(),
): StoreClock {
  const startedAt = Math.max(counted.databaseNow, counted.clockMilliseconds);
  const clock = createDatabaseClock(startedAt, monotonicNow);
  const listeners = new Set<(pause: Pause) => void>();
  let pause: Pause | undefined;
  let isBehind = false;

  function observeLife(life: Life): void {
    const last = toLastPause(life);
    if (!last || (pause && last.to <= pause.to)) return;
    const isNew = pause !== undefined || last.to > startedAt;
    pause = last;
    if (!isNew) return;
    setImmediate(() => {
      for (const listener of listeners) listener(last);
    });
  }

  function onPause(listener: (pause: Pause) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  function judge({ clockMilliseconds, databaseNow }: Times): number {
    isBehind = clockMilliseconds - databaseNow > behindMillisecondsMax;
    const now = Math.max(clockMilliseconds, isBehind ? clock.now() : databaseNow);
    clock.sample(now);
    return now;
  }

  return {
    clock: { ...clock, lastPause: () => pause, onPause },
    judge,
    observeLife,
    given: () => (isBehind ? clock.now() : null),
    carried: () => (isBehind ? clock.now() : undefined),
  };
}

/** What this process knows about the database's clock. */
export type DatabaseClock = Clock & Readonly<{ sample: (databaseNow: number) => void }>;

/** Clocks drift apart, so a sample older than this is replaced by the next one. */
const sampleMillisecondsMax = 30_000;

/**
 * An estimate of the database's clock, used for timers and for display. While the database's clock is right, no
 * decision depends on the estimate. Every time the database reports is a little old when it arrives, so the estimate
 * is never ahead. A timer set by it therefore never fires before the database itself would say that the time has
 * come.
 */
export function createDatabaseClock(
  databaseNow: number,
  monotonicNow: () => number = () => performance.now(),
): DatabaseClock {
  let offset = Number.NEGATIVE_INFINITY;
  let sampledAt = 0;
  let latest = 0;

  function sample(time: number): void {
    const arrivedAt = monotonicNow();
    if (time - arrivedAt <= offset && arrivedAt - sampledAt < sampleMillisecondsMax) return;
    offset = time - arrivedAt;
    sampledAt = arrivedAt;
  }

  function estimate(): number {
    latest = Math.max(latest, Math.floor(offset + monotonicNow()));
    return latest;
  }

  sample(databaseNow);
  // If only this process stops, that is not a pause: other buses go on serving. The database reports the real
  // pauses.
  const { now, schedule, stop } = createClock({
    wallNow: estimate,
    monotonicNow: estimate,
    bootNow: estimate,
  });
  return { now, schedule, sample, ...(stop && { stop }) };
}
