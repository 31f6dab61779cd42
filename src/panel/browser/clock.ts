/** The clock of the bus as far as the page knows it. The clock of this machine may be wrong and is never asked. */
export type ServerClock = Readonly<{
  /** Milliseconds since 1970 by the clock of the bus. */
  now: () => number;
  /** The bus has just said what time it is. */
  set: (timestamp: string) => void;
  /** Nothing is known about the bus any more: what is shown is as old as the last word from it. */
  stop: () => void;
}>;

export function createServerClock(monotonicNow: () => number = () => performance.now()): ServerClock {
  let saidAt = 0;
  let heardAt = 0;
  let stoppedAt: number | undefined;
  const read = () => saidAt + (monotonicNow() - heardAt);
  return {
    now: () => stoppedAt ?? read(),
    set(timestamp) {
      saidAt = Date.parse(timestamp);
      heardAt = monotonicNow();
      stoppedAt = undefined;
    },
    stop() {
      stoppedAt ??= read();
    },
  };
}
