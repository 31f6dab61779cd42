import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Timers } from '../../src/lease/timers.ts';

/** Timers that stand still until the test moves them, and ring what is due on the way. */
export type ManualTimers = Timers &
  Readonly<{
    advance(milliseconds: number): Promise<void>;
    /** Time goes by and nothing can run; what is due rings afterwards. */
    sleep(milliseconds: number): void;
    /** How many callbacks wait for their time. */
    count(): number;
  }>;

export function createManualTimers(): ManualTimers {
  let now = 1000;
  const alarms = new Set<{ at: number; callBack: () => void }>();

  function after(milliseconds: number, callBack: () => void): () => void {
    const alarm = { at: now + Math.max(0, milliseconds), callBack };
    alarms.add(alarm);
    return () => alarms.delete(alarm);
  }

  async function advance(milliseconds: number): Promise<void> {
    const end = now + milliseconds;
    for (;;) {
      await settle();
      const [due] = [...alarms].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
      if (due === undefined) break;
      alarms.delete(due);
      now = Math.max(now, due.at);
      due.callBack();
    }
    now = end;
    await settle();
  }

  function sleep(milliseconds: number): void {
    now += milliseconds;
  }

  return { now: () => now, after, advance, sleep, count: () => alarms.size };
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}
