import type { Bus } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import { type ClientSession, toOwnId } from './session.ts';

/** What a session is called, and whether the bus knows it by that name. */
export type Joined = Readonly<{
  agent: string;
  isKnownToBus: boolean;
  /** Other live sessions that act under the same id. */
  sharedWith?: unknown;
}>;

export type JoinOptions = Readonly<{
  /** The project, for people. */
  place?: string | undefined;
  /** The id that somebody set. */
  wished?: string | undefined;
}>;

/** Joins the bus, which always answers the same session with the same id. A bus that names no agents leaves that to us. */
export async function joinBus(
  bus: Bus,
  who: ClientSession,
  { place, wished }: JoinOptions = {},
): Promise<Joined> {
  const own = { agent: wished ?? toOwnId(who), isKnownToBus: false };
  const asked = { ...who, ...(place && { place: place.slice(0, limits.placeCharactersMax) }) };
  try {
    const answer = await bus.joinAgent({ ...asked, ...(wished !== undefined && { agent: wished }) });
    // Some programs answer every route, and have named nobody.
    if (typeof answer?.agent !== 'string') return own;
    return { agent: answer.agent, isKnownToBus: true, sharedWith: answer.shared_with };
  } catch (error) {
    if (isUnknownRoute(error)) return own;
    throw error;
  }
}

/** A bus that does not know the route, of whatever make. */
function isUnknownRoute(error: unknown): boolean {
  return error instanceof BusError && (error.status === 404 || error.status === 405);
}
