import { type Bus, operationNames } from '../contract/contract.ts';

/** How much a bus is used. This decides whether it may exit or be replaced. */
export type Use = Readonly<{
  /** Wraps a bus so that its calls are counted. A waiting call and an event stream count for as long as they last. */
  track(bus: Bus): Bus;
  callsInFlight(): number;
  /** When the last call began or ended, by the clock of `now`. */
  lastUsedAt(): number;
}>;

export function createUse(now: () => number): Use {
  let callsInFlight = 0;
  let lastUsedAt = now();

  function count(change: number): void {
    callsInFlight += change;
    lastUsedAt = now();
  }

  function track(bus: Bus): Bus {
    const watched = operationNames.map((name) => {
      const operate = bus[name] as (...given: unknown[]) => Promise<unknown>;
      return [
        name,
        async (...given: unknown[]) => {
          count(1);
          try {
            return await operate(...given);
          } finally {
            count(-1);
          }
        },
      ];
    });
    return Object.fromEntries(watched) as Bus;
  }

  return { track, callsInFlight: () => callsInFlight, lastUsedAt: () => lastUsedAt };
}
