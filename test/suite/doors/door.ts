import { type Bus, contract, type OperationName, operationNames } from '../../../src/contract/contract.ts';
import type { Door as DoorName } from '../../../src/contract/operation.ts';
import type { Feature, Use } from '../rule.ts';

/** A way in, on trial. */
export type Door = Readonly<{
  name: string;
  offers: (use: Use) => boolean;
  /** Puts the door before a bus. */
  open: (bus: Bus) => Promise<OpenedDoor>;
}>;

type OpenedDoor = Readonly<{ bus: Bus; close: () => Promise<void> }>;

/** What the contract says is offered there, and what its callers can say beside their input. */
export function offeredAt(door: DoorName, features: readonly Feature[]): Door['offers'] {
  return (use) =>
    isOperation(use)
      ? (contract[use].doors as readonly DoorName[]).includes(door)
      : features.includes(use as Feature);
}

/** A bus whose operations all go one way. */
export function toBus(
  operate: (name: OperationName, input: object, call: CallParts) => Promise<object>,
): Bus {
  const entries = operationNames.map((name) => [
    name,
    (input: object, call: CallParts = {}) => operate(name, input, call),
  ]);
  return Object.fromEntries(entries) as Bus;
}

export type CallParts = Readonly<{
  signal?: AbortSignal | undefined;
  idempotencyKey?: string | undefined;
}>;

function isOperation(use: Use): use is OperationName {
  return use in contract;
}
