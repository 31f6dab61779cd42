import type { Output } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { AgentRow, HeldLaneRow } from '../store/rows.ts';
import { createShow } from '../store/shown.ts';
import type { Overview, Store } from '../store/store.ts';
import { stateOf, toHeard } from './agents.ts';
import { join } from './join.ts';
import { createLaneTurns } from './lane-turns.ts';
import { liveHoldOf } from './lanes.ts';
import { leave } from './leave.ts';
import type { EngineParts, Handlers } from './parts.ts';
import type { Presence } from './presence.ts';

type ShownAgent = Output<'listAgents'>['agents'][number];

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

const toShown = createShow('agents', ['sessions', 'seenAt']);

function toAgent(
  row: AgentRow,
  around: Readonly<{ held: readonly HeldLaneRow[]; waits: readonly string[] | undefined; now: number }>,
): ShownAgent {
  const { held, waits, now } = around;
  const holds = held.filter((lane) => liveHoldOf(lane, now)).map(({ lane }) => lane);
  // Whoever waits is here, however long ago the wait began.
  const state = waits ? 'here' : stateOf(row, now);
  return {
    ...(toShown(row) as Pick<ShownAgent, 'agent' | 'joined_at'>),
    seen_s_ago: Math.max(Math.floor((now - row.seenAt) / 1000), 0),
    state,
    holds: holds.slice(0, limits.agentLanesShownMax),
    ...(waits && { waits_for: waits.slice(0, limits.agentLanesShownMax) }),
  };
}

/** The row with the last sign of life, which may not be written yet. */
function withHeard(row: AgentRow, { heardAt }: Pick<Presence, 'heardAt'>): AgentRow {
  const at = heardAt(row.agent);
  return at === undefined ? row : toHeard(row, row.agent, at);
}

/** The lanes that each owner waits for. */
function toWaits(queues: Overview['queues']): ReadonlyMap<string, readonly string[]> {
  const waits = new Map<string, string[]>();
  for (const { lane, queue } of queues) {
    for (const owner of new Set(queue.map((waiter) => waiter.owner))) {
      const lanes = waits.get(owner);
      if (lanes) lanes.push(lane);
      else waits.set(owner, [lane]);
    }
  }
  return waits;
}

function readHeld(store: Store, owner: string): Promise<readonly HeldLaneRow[]> {
  return store.readLanes({ owner, limit: limits.agentLanesShownMax });
}
