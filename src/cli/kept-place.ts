import { limits } from '../contract/limits.ts';
import type { Timers } from '../lease/timers.ts';

/**
 * Waits for something longer than one call may wait. When the same request is sent again, the new call takes over
 * the place of the waiting one. So each new call is sent shortly before the bus would end the previous one, and the
 * place in the queue is never lost.
 *
 * Returns the first grant, and rejects with the refusal of the last call.
 */
export async function askAndStay<Answer>({
  ask,
  until,
  timers,
  signal,
}: Readonly<{
  /** Must send the same request each time, except for how long it waits. */
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
    // A bus that does not support taking over a place keeps the other call in the queue, and would grant the lane to
    // nobody.
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

/** Time for the call to arrive, even at a bus that has just restarted. */
const overlapSeconds = 10;
