import { limits } from '../contract/limits.ts';
import type { HeldLaneRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { toAgent, toWaits, withHeard } from './agents-shown.ts';
import { join } from './join.ts';
import { createLaneTurns } from './lane-turns.ts';
import { leave } from './leave.ts';
import type { EngineParts, Handlers } from './parts.ts';

/** Who is who, and who is there. */
export function createAgentHandlers({
  store,
  leases,
  presence,
}: EngineParts): Pick<Handlers, 'joinAgent' | 'leaveAgent' | 'listAgents'> {
  const turns = createLaneTurns(store, leases);

  const listAgents: Handlers['listAgents'] = async ({ limit, after }) => {
    // A store that cannot be written to shows what it has.
    await presence.keepUnknown().catch(() => {});
    const rows = await store.readAgents({ after, limit: limit + 1 });
    const { queues } = await store.readOverview({ lists: [], lanesMax: 0, waitersMax: limits.waitersMax });
    const waits = toWaits(queues);
    const page = rows.slice(0, limit);
    const held = await Promise.all(page.map(({ agent }) => readHeld(store, agent)));
    const now = store.clock.now();
    const agents = page.map((row, index) =>
      toAgent(withHeard(row, presence), { held: held[index] ?? [], waits: waits.get(row.agent), now }),
    );
    return { agents, has_more: rows.length > limit };
  };

  return {
    joinAgent: (input, call) => join({ store, presence }, input, call),
    leaveAgent: (input, call) => leave({ store, turns }, input, call),
    listAgents,
  };
}

function readHeld(store: Store, owner: string): Promise<readonly HeldLaneRow[]> {
  return store.readLanes({ owner, limit: limits.agentLanesShownMax });
}
