import { type Clock, chainPauses, type Pause } from '../../src/store/clock.ts';

/** A clock that stands still until the test moves it, and rings what is due on the way. */
export type TestClock = Clock &
  Readonly<{
    advance: (seconds: number) => void;
    /** The bus is stopped for so long: nothing rings meanwhile, and what is due rings afterwards. */
    stopFor: (seconds: number) => Pause;
    /** When the alarms that are set will ring, soonest first: whoever waits has one. */
    alarms: () => readonly number[];
  }>;

type Alarm = Readonly<{ at: number; action: () => void }>;

export function createTestClock(startAt = Date.UTC(2026, 0, 2, 3, 4, 5)): TestClock {
  let now = startAt;
  const alarms = new Set<Alarm>();
  const listeners = new Set<(pause: Pause) => void>();
  let lastPause: Pause | undefined;

  function schedule(at: number, action: () => void): () => void {
    // The clock counts whole milliseconds; a fraction of one is noise of the arithmetic.
    const alarm = { at: Math.ceil(at - 0.001), action };
    alarms.add(alarm);
    // Whoever sets an alarm for a time that has come is called soon, as a timer would do it.
    if (alarm.at <= now) setImmediate(() => ring(alarm));
    return () => alarms.delete(alarm);
  }

  function ring(alarm: Alarm): void {
    if (alarms.delete(alarm)) alarm.action();
  }

  function advance(seconds: number): void {
    const end = now + Math.round(seconds * 1000);
    for (;;) {
      const due = firstDue(end);
      if (!due) break;
      now = Math.max(now, due.at);
      ring(due);
    }
    now = end;
  }

  function stopFor(seconds: number): Pause {
    const from = now;
    now += Math.round(seconds * 1000);
    const pause = chainPauses({ from, to: now }, lastPause);
    lastPause = pause;
    setImmediate(() => {
      for (const listener of listeners) listener(pause);
    });
    advance(0);
    return pause;
  }

  function firstDue(end: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of alarms) {
      if (alarm.at <= end && (!first || alarm.at < first.at)) first = alarm;
    }
    return first;
  }

  return {
    now: () => now,
    schedule,
    advance,
    stopFor,
    lastPause: () => lastPause,
    onPause(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    alarms: () => [...alarms].map(({ at }) => at).sort((a, b) => a - b),
  };
}
