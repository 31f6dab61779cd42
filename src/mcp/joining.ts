import { type JoinOptions, joinBus } from '../client-side/join.ts';
import { type CallOrigin, type ClientSession, toCallSession } from '../client-side/session.ts';
import type { Bus } from '../contract/contract.ts';
import type { Identity } from './identity.ts';
import { createMember, type Member } from './member.ts';

export type JoiningOptions = JoinOptions &
  Readonly<{
    bus: Bus;
    environment: Readonly<Record<string, string | undefined>>;
    /** Tells this server from all others; for the sessions of clients that say nothing of theirs. */
    ownKey: string;
  }>;

/**
 * Sessions join the bus, which gives each its id. Clients may let several sessions share one server, and several servers
 * serve one session: the key of the session decides, and never the server.
 */
export function createJoiningIdentity(options: JoiningOptions): Identity {
  const { environment, ownKey } = options;
  const members = new Map<string, Promise<Member>>();
  const own = new Set<string>();

  function identify(origin: CallOrigin): Promise<Member> {
    const who = toCallSession({ origin, environment, ownKey });
    const known = members.get(who.session);
    if (known) return known;
    const joined = join(who, options);
    members.set(who.session, joined);
    joined.then(
      ({ agent }) => own.add(agent),
      () => members.delete(who.session),
    );
    return joined;
  }

  return { identify, isOwn: (agent) => own.has(agent) };
}

async function join(who: ClientSession, { bus, place, wished }: JoiningOptions): Promise<Member> {
  const { agent, isKnownToBus, sharedWith } = await joinBus(bus, who, { place, wished });
  const note = isKnownToBus ? undefined : olderBusNote;
  const others = Array.isArray(sharedWith) && sharedWith.length > 0 ? sharedWith : undefined;
  const news = {
    you: agent,
    ...(others && { shared_with: others }),
    ...(note !== undefined && { note }),
  };
  return createMember({ agent, isKnownToBus, news });
}

const olderBusNote = 'this bus is older and lists no agents: tell the others your id by a post';
