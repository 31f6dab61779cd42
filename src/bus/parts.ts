import type { Call, OperationName, Output, ParsedInput } from '../contract/contract.ts';
import type { Store } from '../store/store.ts';
import type { HeldLanes } from './held-lanes.ts';
import type { LeaseWatch } from './lease-watch.ts';
import type { Presence } from './presence.ts';
import type { Seats } from './seats.ts';
import type { Waiting } from './waiting.ts';

export type BusSettings = Readonly<{
  /** Longer leases are granted as this. */
  leaseSecondsMax: number;
  isSecretArmed: boolean;
  version: string;
  /** Tells this process from every other that fronts the same store. */
  instance: string;
}>;

/** What the subjects of the engine share. */
export type EngineParts = Readonly<{
  store: Store;
  presence: Presence;
  waiting: Waiting;
  leases: LeaseWatch;
  heldLanes: HeldLanes;
  seats: Readonly<{ waiters: Seats; readers: Seats }>;
  settings: BusSettings;
  nextTicket: () => string;
}>;

/** The operations behind the check of their input. */
export type Handlers = {
  readonly [Name in OperationName]: (input: ParsedInput<Name>, call: Call) => Promise<Output<Name>>;
};
