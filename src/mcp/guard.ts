import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Bus } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { toGrant } from '../lease/grant.ts';
import type { Identity } from './identity.ts';
import type { KeepAlive } from './keep-alive.ts';

/**
 * The tool that the client's hook calls before an edit. It is in no list: a model has no use for it, and its description
 * would cost every session.
 */
export const guardToolName = 'guard';

/** The session whose edit is looked at. */
type GuardedSession = Readonly<{
  /** Its id; undefined where nobody can know. */
  identify: () => Promise<string | undefined>;
  /** Claims these scopes for it, each as a lane of its own. */
  claim: (scopes: readonly string[]) => Promise<void>;
}>;

/** Answers what the hook prints; the empty text lets the edit pass. Never rejects. */
export type Guard = (given: Readonly<Record<string, unknown>>, session: GuardedSession) => Promise<string>;

type Session = Readonly<{
  bus: Bus;
  identity: Identity | undefined;
  keepAlive: KeepAlive | undefined;
  origin: Parameters<Identity['identify']>[0];
}>;

export async function callGuard(
  guard: Guard,
  given: Readonly<Record<string, unknown>>,
  session: Session,
): Promise<CallToolResult> {
  const { identity, origin } = session;
  const text = await guard(given, {
    identify: async () => (await identity?.identify(origin))?.agent,
    claim: (scopes) => claimEdited(scopes, session),
  });
  return { content: [{ type: 'text', text }] };
}

/** They are kept alive, and so they are free again when the session ends, however it ends. */
async function claimEdited(
  scopes: readonly string[],
  { bus, identity, keepAlive, origin }: Session,
): Promise<void> {
  if (!identity || !keepAlive) return;
  const { agent: owner } = await identity.identify(origin);
  for (const scope of scopes) {
    const asked = { lane: toEditLane(scope), owner, lease_s: limits.keptLeaseSecondsDefault };
    const answer = await bus.claimLane({ ...asked, paths: [scope] });
    keepAlive.keep(toGrant(asked, answer));
  }
}

/** A lane may not be called by a path, so every other sign becomes a dot; two files that then meet share the lane. */
function toEditLane(scope: string): string {
  const name = scope.replace(/[^A-Za-z0-9._-]+/g, '.');
  const charactersLeft = 128 - 'edit:'.length;
  return `edit:${name.slice(-charactersLeft)}`;
}
