/** The clock and the timers of commands that wait; an argument, so that no test has to sleep. */
export type Timers = Readonly<{
  /** Milliseconds that only ever grow; comparable with each other and nothing else. */
  now(): number;
  /** Calls back once after so long, unless it is cancelled by the function it answers. */
  after(milliseconds: number, callBack: () => void): () => void;
}>;

export const systemTimers: Timers = {
  now: () => performance.now(),
  after(milliseconds, callBack) {
    const timer = setTimeout(callBack, Math.min(Math.max(milliseconds, 0), timeoutMillisecondsMax));
    return () => clearTimeout(timer);
  },
};

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

/** Longer ones would fire at once. */
const timeoutMillisecondsMax = 2_147_483_647;
