/** A clock and its timers. Passed as an argument, so that no test has to sleep. */
export type Timers = Readonly<{
  /** Milliseconds that only grow. Compare them only with each other. */
  now(): number;
  /** Calls back once after this time, unless the returned function cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
}>;

export const systemTimers: Timers = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(milliseconds, 0), timeoutMillisecondsMax));
    return () => clearTimeout(timer);
  },
};

/** Longer timeouts would fire at once. */
const timeoutMillisecondsMax = 2_147_483_647;

/** Waits, unless the signal fires first: then it rejects with the reason of the signal. */
export function pause(
  milliseconds: number,
  signal: AbortSignal | undefined,
  timers: Timers = systemTimers,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = timers.after(milliseconds, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** How long to wait before the next attempt: doubling from half a second to half a minute. */
export function toBackOffMilliseconds(attempts: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempts, 10));
}
