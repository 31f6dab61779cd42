import { type Clock, createClock, type Pause } from '../clock.ts';
import { type Life, toLastPause } from './life.ts';
import type { Counted } from './read.ts';

/** Where the store gets the time from: the database, or the clock that a test gives. */
export type StoreClock = Readonly<{
  clock: Clock;
  /** The time that judges what is decided on rows that were read with these counters. */
  judge: (counted: Times) => number;
  /** For statements that compare times: a lower bound for now, or null when the database's own clock is right. */
  given: () => number | null;
  /** The time to keep in the database, because its own clock is behind it. */
  carried: () => number | undefined;
  /** Told of the signs of life whenever they were read. A clock that is given says itself when it stood still. */
  noteLife?: (life: Life) => void;
}>;

type Times = Pick<Counted, 'databaseNow' | 'clockMilliseconds'>;

/** A clock that is further behind than this was set back; less happens when transactions overlap. */
const behindMillisecondsMax = 250;

/** The time that a test gives, as long as the database remembers none that is later. */
export function createGivenClock(clock: Clock): StoreClock {
  return {
    clock,
    judge: ({ clockMilliseconds }) => Math.max(clockMilliseconds, clock.now()),
    given: clock.now,
    carried: () => undefined,
  };
}

/**
 * The time of the database. The latest that anything was decided at is kept there, so time does not run backwards,
 * whoever asks. When somebody sets the clock of the database back, or a standby with another clock takes over, the time
 * goes on from where it was, as the buses count it: leases end as they would have, and all buses agree.
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

  function noteLife(life: Life): void {
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
    noteLife,
    given: () => (isBehind ? clock.now() : null),
    carried: () => (isBehind ? clock.now() : undefined),
  };
}

/** The clock of the database as far as this process knows it. */
export type DatabaseClock = Clock & Readonly<{ sample: (databaseNow: number) => void }>;

/** A sample older than this gives way to the next one: two clocks drift apart. */
const sampleMillisecondsMax = 30_000;

/**
 * An estimate of the database's clock, for timers and for showing; as long as that clock is right nothing is decided by
 * it. Each answer of the database was already on its way when it arrives, so the estimate is never ahead, and a timer
 * set by it never rings before the database itself would say that it is time.
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
  // A process that is stopped alone is no pause, as the others go on serving; of the real ones the database tells.
  const { now, schedule, stop } = createClock({
    wallNow: estimate,
    monotonicNow: estimate,
    bootNow: estimate,
  });
  return { now, schedule, sample, ...(stop && { stop }) };
}
