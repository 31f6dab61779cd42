import { limits } from '../contract/limits.ts';
import type { AgentRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/**
 * Forgets the agents that hold nothing, wait for nothing, and were last heard before the oldest event that is kept. Their
 * sessions go with them; the numbers of their ids do not come again. One call looks at no more than a turn takes.
 */
export async function pruneAgents(store: Store): Promise<void> {
  const { pruned } = await store.readCountersNow();
  const [oldest] = await store.readEvents({ sinceId: pruned.eventId, limit: 1 });
  const seenBefore = oldest?.ts;
  if (seenBefore === undefined) return;
  const silent = await store.readAgents({ order: 'oldest', seenBefore, limit: limits.agentsPerTurnMax });
  const isNeeded = await Promise.all(silent.map(({ agent }) => holdsAnything(store, agent)));
  const { queues } = await store.readOverview({ lists: [], lanesMax: 0, waitersMax: limits.waitersMax });
  const waiting = new Set(queues.flatMap(({ queue }) => queue.map(({ owner }) => owner)));
  const going = silent.filter(({ agent }, index) => !isNeeded[index] && !waiting.has(agent));
  if (going.length === 0) return;
  await store.take<void>({
    asks: { agents: going.map(({ agent }) => agent) },
    decide({ find }) {
      // Somebody may have been heard since.
      const rows = going.flatMap(({ agent }) => find('agents', agent) ?? []);
      const gone = rows.filter(({ seenAt }) => seenAt < seenBefore);
      return {
        answer: undefined,
        removed: { agents: gone.map(({ agent }) => agent), sessions: sessionsOf(gone) },
      };
    },
  });
}

async function holdsAnything(store: Store, agent: string): Promise<boolean> {
  const [own, under] = await Promise.all([
    store.readLanes({ owner: agent, limit: 1 }),
    store.readLanes({ under: agent, limit: 1 }),
  ]);
  return own.length + under.length > 0;
}

function sessionsOf(agents: readonly AgentRow[]): string[] {
  return agents.flatMap(({ sessions }) => sessions.map(({ session }) => session));
}
