import type { z } from 'zod';
import { joinAgent, leaveAgent, listAgents } from './agents.ts';
import { readEvents } from './events.ts';
import { checkPaths, claimLane, getLane, heartbeatLane, listLanes, releaseLane } from './lanes.ts';
import { acknowledgeFlag, postMessage, pruneMessages, readMessages } from './messages.ts';
import type { Door, Operation } from './operation.ts';
import { getBusStatus } from './status.ts';

/** Everything the bus can do. HTTP, MCP, the command line, the docs and the suite are loops over this object. */
export const contract = {
  postMessage,
  readMessages,
  claimLane,
  releaseLane,
  heartbeatLane,
  getBusStatus,
  listLanes,
  getLane,
  joinAgent,
  leaveAgent,
  listAgents,
  checkPaths,
  readEvents,
  acknowledgeFlag,
  pruneMessages,
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof contract;

/** What a caller gives: fields with a default may be left out. */
export type Input<Name extends OperationName> = Given<z.input<(typeof contract)[Name]['input']>>;

/** Nothing that is given is changed, lists included. */
type Given<Fields> = {
  readonly [Field in keyof Fields]: string[] extends Fields[Field]
    ? readonly string[] | Extract<Fields[Field], undefined>
    : Fields[Field];
};

/** The input after the defaults were filled in. */
export type ParsedInput<Name extends OperationName> = Given<z.output<(typeof contract)[Name]['input']>>;

export type Output<Name extends OperationName> = Readonly<z.output<(typeof contract)[Name]['output']>>;

/** What goes with a call without being part of what is asked. */
export type Call = Readonly<{
  /** Ends a call that waits; what it would have waited for is forgotten at once. */
  signal?: AbortSignal | undefined;
  /** Who calls, where the input does not say it. */
  agent?: string | undefined;
  /** Makes a write safe to repeat: for 24 hours the same key gets the first answer again. */
  idempotencyKey?: string | undefined;
}>;

/**
 * One message log and one lane registry. The engine is a `Bus`, the HTTP client is a `Bus`, and whatever fronts a
 * `Bus` cannot tell which it was given.
 *
 * Every function rejects with `BusError` when the bus refuses, and with `BusUnreachableError` when none answered.
 */
export type Bus = {
  readonly [Name in OperationName]: (input: Input<Name>, call?: Call) => Promise<Output<Name>>;
};

export const operationNames = Object.keys(contract) as readonly OperationName[];

/** The declarations with their names, typed for loops that treat all operations alike. */
export const operations: readonly (readonly [OperationName, Operation])[] = operationNames.map((name) => [
  name,
  contract[name],
]);

/** Those that a door lists by name. */
export function operationsAt(door: Door): typeof operations {
  return operations.filter(([, { doors }]) => doors.includes(door));
}
