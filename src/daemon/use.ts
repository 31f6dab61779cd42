import { type Bus, operationNames } from '../contract/contract.ts';

/** How much a bus is used: what decides whether it may leave, or be replaced. */
export type Use = Readonly<{
  /** The bus, with its calls noted. One that waits is under way as long as it waits, and so is an event stream. */
  watch(bus: Bus): Bus;
  callsInFlight(): number;
  /** When the last call began or ended, as `now` counts. */
  lastUsedAt(): number;
}>;

export function createUse(now: () => number): Use {
  let callsInFlight = 0;
  let lastUsedAt = now();

  function note(change: number): void {
    callsInFlight += change;
    lastUsedAt = now();
  }

  function watch(bus: Bus): Bus {
    const watched = operationNames.map((name) => {
      const operate = bus[name] as (...given: unknown[]) => Promise<unknown>;
      return [
        name,
        async (...given: unknown[]) => {
          note(1);
          try {
            return await operate(...given);
          } finally {
            note(-1);
          }
        },
      ];
    });
    return Object.fromEntries(watched) as Bus;
  }

  return { watch, callsInFlight: () => callsInFlight, lastUsedAt: () => lastUsedAt };
}
