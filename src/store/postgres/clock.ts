import { type Clock, createClock } from '../clock.ts';

/** The clock of the database as far as this process knows it. */
export type DatabaseClock = Clock & Readonly<{ sample: (databaseNow: number) => void }>;

/** A sample older than this gives way to the next one: two clocks drift apart. */
const sampleMillisecondsMax = 30_000;

/**
 * An estimate of the database's clock, for timers and for showing: nothing is decided by it. Each answer of the
 * database was already on its way when it arrives, so the estimate is never ahead, and a timer set by it never rings
 * before the database itself would say that it is time.
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
  // It runs on while this process is stopped, as the other processes go on: no pause is ever noted.
  const { now, schedule, stop } = createClock({
    wallNow: estimate,
    monotonicNow: estimate,
    bootNow: estimate,
  });
  return { now, schedule, sample, ...(stop && { stop }) };
}
