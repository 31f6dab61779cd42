/** A clock and its timers; an argument, so that no test has to sleep. */
export type Timers = Readonly<{
  /** Milliseconds that only ever grow; comparable with each other and nothing else. */
  now(): number;
  /** Calls back once after so long, unless the returned function cancels it first. */
  after(milliseconds: number, callback: () => void): () => void;
}>;

export const systemTimers: Timers = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(milliseconds, 0), timeoutMillisecondsMax));
    return () => clearTimeout(timer);
  },
};

/** Longer ones would fire at once. */
const timeoutMillisecondsMax = 2_147_483_647;
