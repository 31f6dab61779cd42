import type { Timers } from './timers.ts';

/** Timers that only count the time in which this process was awake. */
export type AwakeTimers = Timers &
  Readonly<{
    /** Calls back soon after each sleep. Returns a cancel function. */
    onWake(listener: () => void): () => void;
  }>;

const tickMilliseconds = 1_000;
/** If a process gives no sign of life for longer than this, it was stopped or its machine slept. */
const gapMillisecondsMax = 3_000;

/**
 * Leaves out the time in which this process could not run: a sleeping laptop, SIGSTOP, a paused container.
 *
 * Some machines have a clock that runs while they sleep. After an hour of sleep all timers fire at once and every
 * lease seems to have expired an hour ago, whatever the bus thinks. On other machines the clock stands still, and
 * nothing seems to have happened. In both cases only the bus knows what became of the lease.
 *
 * So this code makes the first kind look like the second. A tick every second shows that the process runs. When the
 * gap between two ticks is too long, it is subtracted from the time. Then nobody loses a lease to a clock, and
 * `onWake` makes the keeper ask the bus at once.
 *
 * It ticks only while a timer is set, so an idle process does not wake the processor.
 */
export function createAwakeTimers(timers: Timers): AwakeTimers {
  const listeners = new Set<() => void>();
  const alarms = new Set<object>();
  let sleptMilliseconds = 0;
  let lastSign = timers.now();
  let cancelTick = () => {};

  function now(): number {
    const time = timers.now();
    const gap = time - lastSign;
    lastSign = time;
    // Without a timer there are no ticks, and a gap means nothing.
    if (alarms.size > 0 && gap > gapMillisecondsMax) {
      sleptMilliseconds += gap;
      timers.after(0, () => {
        for (const listener of listeners) listener();
      });
    }
    return time - sleptMilliseconds;
  }

  function tick(): void {
    now();
    cancelTick = timers.after(tickMilliseconds, tick);
  }

  function after(milliseconds: number, callback: () => void): () => void {
    const due = now() + Math.max(0, milliseconds);
    const alarm = {};
    let cancelTimer = arm();
    if (alarms.size === 0) cancelTick = timers.after(tickMilliseconds, tick);
    alarms.add(alarm);

    function arm(): () => void {
      return timers.after(due - now(), ring);
    }

    function ring(): void {
      // The timer fires early if a sleep was subtracted in the meantime, or if the wait was longer than a timer can
      // be.
      if (now() < due - 0.5) cancelTimer = arm();
      else if (forget()) callback();
    }

    function forget(): boolean {
      const isSet = alarms.delete(alarm);
      if (alarms.size === 0) cancelTick();
      return isSet;
    }

    return () => {
      cancelTimer();
      forget();
    };
  }

  function onWake(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  return { now, after, onWake };
}
