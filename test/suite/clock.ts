import type { Clock } from '../../src/store/clock.ts';

/** A clock that stands still until the test moves it, and rings what is due on the way. */
export type TestClock = Clock & Readonly<{ advance: (seconds: number) => void }>;

export function createTestClock(startAt = Date.UTC(2026, 0, 2, 3, 4, 5)): TestClock {
  let now = startAt;
  const alarms = new Set<{ at: number; deed: () => void }>();

  function schedule(at: number, deed: () => void): () => void {
    const alarm = { at, deed };
    alarms.add(alarm);
    return () => alarms.delete(alarm);
  }

  function advance(seconds: number): void {
    const end = now + seconds * 1000;
    for (;;) {
      const due = [...alarms].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      alarms.delete(due);
      now = Math.max(now, due.at);
      due.deed();
    }
    now = end;
  }

  return { now: () => now, schedule, advance };
}
