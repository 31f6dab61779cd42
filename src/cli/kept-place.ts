import { limits } from '../contract/limits.ts';
import type { Timers } from '../lease/timers.ts';

/**
 * Asks for something that is waited for, for longer than one call may wait. A call that is repeated while it waits
 * takes over the place of the one before, so each is asked a little before the bus would end the other.
 *
 * Answers with the first grant, and rejects with what the last call was refused with.
 */
export async function askAndStay<Answer>({
  ask,
  until,
  timers,
  signal,
}: Readonly<{
  /** Must be the same request each time, but for how long it waits. */
  ask: (waitSeconds: number, signal: AbortSignal) => Promise<Answer>;
  until: number;
  timers: Timers;
  signal: AbortSignal;
}>): Promise<Answer> {
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const toRestSeconds = () => Math.max(0, (until - timers.now()) / 1000);
  const askNow = () => ask(Math.min(limits.waitSecondsMax, toRestSeconds()), ends);
  try {
    let answer = askNow();
    while (toRestSeconds() > limits.waitSecondsMax && !(await isSettledInTime(answer, timers))) {
      answer = toFirstOf(answer, askNow());
    }
    return await answer;
  } finally {
    // A bus that does not know of taking over keeps the other call in the queue, and would grant it to nobody.
    over.abort();
  }
}

function isSettledInTime(answer: Promise<unknown>, timers: Timers): Promise<boolean> {
  return new Promise((resolve) => {
    const milliseconds = (limits.waitSecondsMax - overlapSeconds) * 1000;
    const cancel = timers.after(milliseconds, () => resolve(false));
    const settle = () => {
      cancel();
      resolve(true);
    };
    answer.then(settle, settle);
  });
}

async function toFirstOf<Answer>(earlier: Promise<Answer>, later: Promise<Answer>): Promise<Answer> {
  try {
    return await Promise.any([earlier, later]);
  } catch {
    return later;
  }
}

/** Time for the call to arrive, also at a bus that was just started again. */
const overlapSeconds = 10;
