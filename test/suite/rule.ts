import type { Bus, OperationName } from '../../src/contract/contract.ts';
import type { ErrorCode } from '../../src/contract/errors.ts';
import type { TestClock } from './clock.ts';

/** What a call can carry beside the operation it asks for. */
export const features = [
  /** The caller can go away while it waits. */
  'signal',
  'idempotencyKey',
  /** Values keep their types on the way: a number can be told from its digits, half a surrogate pair arrives. */
  'typedValues',
  /** What does not fit is refused; the MCP doors read some of it as clients mean it. */
  'strictInput',
  /** The whole answer arrives; the tools leave out of the status what only a person needs. */
  'wholeStatus',
] as const;
export type Feature = (typeof features)[number];

/** What a rule needs of a door. */
export type Use = OperationName | Feature;

/** A bus of its own for each rule, seen through the door that is on trial. */
export type Fixture<Uses extends Use = Use> = Readonly<{
  /** Through the door. */
  bus: Pick<Bus, Uses & OperationName>;
  /** Behind the door: for what a rule prepares, or looks at, without being about it. */
  engine: Bus;
  clock: TestClock;
  /** Everything that a refused call must leave as it was. */
  kept: () => Promise<unknown>;
  /** Resolves once so many callers wait for messages or events. */
  untilWaiting: (count: number) => Promise<void>;
  /** Resolves once exactly these owners wait for the lane, in this order. */
  untilInLine: (lane: string, owners: readonly string[]) => Promise<void>;
  /** Closes the store and opens it again, behind the same door. */
  restart: () => Promise<void>;
  /** Ends the engine, as when the process of the bus is told to stop. */
  shutDown: () => void;
}>;

/** One promise of the bus, stated once; every store keeps it, and every door that offers what it uses. */
export type Rule = Readonly<{
  title: string;
  uses: readonly Use[];
  /** The refusals that it meets, no more and no fewer. */
  refusals: readonly ErrorCode[];
  prove: (fixture: Fixture) => Promise<void>;
}>;

export function rule<const Uses extends Use>(
  title: string,
  needs: Readonly<{ uses: readonly Uses[]; refusals?: readonly ErrorCode[] }>,
  prove: (fixture: Fixture<Uses>) => Promise<void>,
): Rule {
  return { title, uses: needs.uses, refusals: needs.refusals ?? [], prove };
}
