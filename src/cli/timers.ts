import type { Timers } from '../lease/timers.ts';

/** Resolves after so long, or as soon as the signal ends it. */
export function pause(
  asked: Readonly<{ milliseconds: number; timers: Timers; signal: AbortSignal }>,
): Promise<void> {
  const { milliseconds, timers, signal } = asked;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = timers.after(milliseconds, end);
    signal.addEventListener('abort', end);
  });
}

/** How long to wait before the next attempt: doubling from half a second to half a minute. */
export function toBackOffMilliseconds(attempts: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempts, 10));
}
