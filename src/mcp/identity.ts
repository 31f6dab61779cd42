import type { CallOrigin } from '../client-side/session.ts';
import { createMember, type Member } from './member.ts';

/** Says who makes a call. */
export type Identity = Readonly<{
  /** The member that the call belongs to. Asks the bus for its id the first time, and again after that failed. */
  identify(origin: CallOrigin): Promise<Member>;
  /** Whether one of those who called acts under this id. */
  isOwn(agent: string): boolean;
}>;

/** Everybody who calls has the id that somebody set, and the bus is not asked. */
export function createFixedIdentity(agent: string): Identity {
  // What this bus is not told it also need not say: a server for one request could not know what it said before.
  const member = createMember({ agent, isKnownToBus: true });
  return { identify: async () => member, isOwn: (other) => other === agent };
}
