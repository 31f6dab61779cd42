import type { Timers } from './timers.ts';

/** Timers in the time that this process was awake. */
export type AwakeTimers = Timers &
  Readonly<{
    /** Calls back soon after each sleep that was noticed. Returns a function that stops it. */
    onWake(listener: () => void): () => void;
  }>;

const tickMilliseconds = 1_000;
/** A process that showed no sign of life for longer than this was stopped, or its machine slept. */
const gapMillisecondsMax = 3_000;

/**
 * Leaves out the time in which this process could not run: a sleeping laptop, SIGSTOP, a paused container.
 *
 * Some machines have a clock that goes on while they sleep. After an hour of sleep it says that every lease ran out an
 * hour ago, and all timers ring at once, whatever the bus thinks. Other machines have a clock that stands still, and
 * nothing seems to have happened. Neither knows what became of the lease: that is known to the bus alone. So the first
 * kind is made to look like the second. A tick each second shows that the process runs, and a gap between two signs of
 * life is taken out of the time. Nobody then loses a lease to a clock, and `onWake` asks the bus at once.
 *
 * It ticks only while a timer is set, so whoever keeps nothing wakes no processor.
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
    // Without a timer there is no tick either, and a gap says nothing.
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
      // It rings early when a sleep was taken out of the time meanwhile, or when the wait is longer than a timer can be.
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
