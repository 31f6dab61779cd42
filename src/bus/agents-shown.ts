import type { Output } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { AgentRow, HeldLaneRow } from '../store/rows.ts';
import { createShow } from '../store/shown.ts';
import type { Overview, Store } from '../store/store.ts';
import { stateOf, toHeard } from './agents.ts';
import { liveHoldOf } from './lanes.ts';
import type { Presence } from './presence.ts';

type ShownAgent = Output<'listAgents'>['agents'][number];

/** The agents that were heard last, with those that the store has not heard of yet. */
export async function readLatestAgents(
  store: Store,
  presence: Presence,
  { now, live, queues }: Overview,
): Promise<ShownAgent[]> {
  const rows = await store.readAgents({ order: 'newest', limit: limits.statusAgentsMax });
  const listed = new Set(rows.map(({ agent }) => agent));
  const unknown = presence.heard().filter(({ agent, isWrite }) => isWrite && !listed.has(agent));
  const all = [
    ...rows.map((row) => withHeard(row, presence)),
    ...unknown.map(({ agent, at }) => toHeard(undefined, agent, at)),
  ].sort((one, other) => other.seenAt - one.seenAt);
  const waits = toWaits(queues);
  const held = toHeldBy(live);
  return all
    .slice(0, limits.statusAgentsMax)
    .map((row) => toAgent(row, { held: held.get(row.agent) ?? [], waits: waits.get(row.agent), now }));
}

const toShown = createShow('agents', ['sessions', 'seenAt']);

export function toAgent(
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
export function withHeard(row: AgentRow, { heardAt }: Pick<Presence, 'heardAt'>): AgentRow {
  const at = heardAt(row.agent);
  return at === undefined ? row : toHeard(row, row.agent, at);
}

/** The lanes that each owner waits for. */
export function toWaits(queues: Overview['queues']): ReadonlyMap<string, readonly string[]> {
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

function toHeldBy(lanes: readonly HeldLaneRow[]): ReadonlyMap<string, readonly HeldLaneRow[]> {
  const held = new Map<string, HeldLaneRow[]>();
  for (const lane of lanes) held.set(lane.hold.owner, [...(held.get(lane.hold.owner) ?? []), lane]);
  return held;
}
