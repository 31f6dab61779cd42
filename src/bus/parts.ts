import type { Call, OperationName, Output, ParsedInput } from '../contract/contract.ts';
import type { Store } from '../store/store.ts';
import type { HeldLanes } from './held-lanes.ts';
import type { LeaseWatch } from './lease-watch.ts';
import type { Presence } from './presence.ts';
import type { Seats } from './seats.ts';
import type { Waiting } from './waiting.ts';

export type BusSettings = Readonly<{
  /** Longer leases are shortened to this. */
  leaseSecondsMax: number;
  isSecretArmed: boolean;
  version: string;
  /** Identifies this process among those on the same store. */
  instance: string;
}>;

/** What the parts of the engine share. */
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

/** The operations, called after their input was checked. */
export type Handlers = {
  readonly [Name in OperationName]: (input: ParsedInput<Name>, call: Call) => Promise<Output<Name>>;
};
