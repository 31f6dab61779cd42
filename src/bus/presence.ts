import { limits } from '../contract/limits.ts';
import type { AgentRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { parseAgentId } from './agent-ids.ts';
import { decideTaken, toHeard } from './agents.ts';

export type Presence = Readonly<{
  /** A sign of life. Only a write makes an id known that never joined: whoever may only read cannot fill the list. */
  hear: (agent: string, isWrite: boolean) => void;
  /** The time of the last sign of life that is not written yet. */
  heardAt: (agent: string) => number | undefined;
  /** Who was heard and is not written yet. */
  heard: () => readonly Readonly<{ agent: string; at: number; isWrite: boolean }>[];
  /** Writes what was heard, if an id among it may be unknown to the store. */
  keepUnknown: () => Promise<void>;
}>;

type Sign = Readonly<{ at: number; isWrite: boolean }>;

/**
 * When each agent was heard last. It is kept in memory, and written once a minute with whatever is written then, so that
 * it costs a call nothing. There is no timer: the first sign of life after a minute takes the turn, beside the call it
 * came with. Whoever was heard after that and then stays silent is written with the next sign of anybody.
 */
export function createPresence(store: Store): Presence {
  let signs = new Map<string, Sign>();
  /** What is being written, and not to be read in the store yet. */
  let underWay: ReadonlyMap<string, Sign> = new Map();
  /** Ids that have a row, as far as this process knows. */
  const known = new Set<string>();
  let hasUnknown = false;
  let keptAt = store.clock.now();

  function hear(agent: string, isWrite: boolean): void {
    const at = store.clock.now();
    const before = signs.get(agent);
    if (!before && signs.size >= limits.agentsHeardMax) signs.delete(signs.keys().next().value as string);
    signs.set(agent, { at, isWrite: isWrite || before?.isWrite === true });
    if (isWrite && !known.has(agent)) hasUnknown = true;
    if (at - keptAt < limits.presenceKeptSeconds * 1000) return;
    keptAt = at;
    // A store that cannot take it now is asked again in a minute.
    void keep().catch(() => {});
  }

  async function keep(): Promise<void> {
    const written = signs;
    underWay = written;
    signs = new Map();
    hasUnknown = false;
    const agents = [...written.keys()];
    try {
      for (let start = 0; start < agents.length; start += limits.agentsPerTurnMax)
        await keepSome(agents.slice(start, start + limits.agentsPerTurnMax), written);
    } catch (error) {
      signs = new Map([...written, ...signs]);
      hasUnknown = true;
      throw error;
    } finally {
      if (underWay === written) underWay = new Map();
    }
    if (known.size > limits.agentsHeardMax) known.clear();
    for (const [agent, { isWrite }] of written) if (isWrite) known.add(agent);
  }

  /** The ids, and the stems whose next numbers they may take. */
  function keepSome(agents: readonly string[], heard: ReadonlyMap<string, Sign>): Promise<void> {
    const stems = new Set(agents.flatMap((agent) => parseAgentId(agent)?.stem ?? []));
    return store.take({
      asks: { agents, stems: [...stems] },
      decide(view) {
        const rows: AgentRow[] = [];
        const taken = new Map<string, number>();
        for (const agent of agents) {
          const { at, isWrite } = heard.get(agent) as Sign;
          const row = view.find('agents', agent);
          if (!row && !isWrite) continue;
          const next = toHeard(row, agent, at);
          if (next !== row) rows.push(next);
          const stem = parseAgentId(agent)?.stem;
          if (row || stem === undefined) continue;
          const last = taken.get(stem) ?? view.find('stems', stem)?.lastNumber ?? 0;
          const number = decideTaken(agent, last);
          if (number !== undefined) taken.set(stem, number);
        }
        const stemRows = [...taken].map(([stem, lastNumber]) => ({ stem, lastNumber }));
        return { answer: undefined, rows: { agents: rows, stems: stemRows } };
      },
    });
  }

  return {
    hear,
    heardAt: (agent) => (signs.get(agent) ?? underWay.get(agent))?.at,
    heard: () => [...new Map([...underWay, ...signs])].map(([agent, sign]) => ({ agent, ...sign })),
    async keepUnknown() {
      if (hasUnknown) await keep();
    },
  };
}
