import type { Call, Output, ParsedInput } from '../contract/contract.ts';
import { toBusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { HeldLaneRow } from '../store/rows.ts';
import type { Outcome, Store, View } from '../store/store.ts';
import { decideLeave } from './agents.ts';
import type { LaneTurns } from './lane-turns.ts';
import { decideRelease } from './lanes.ts';
import { askOnce, decideOnce, toAnswerRow, toRepeat } from './repeats.ts';

/**
 * Ends a session. If it was its agent's last session, releases what the agent holds.
 *
 * The session ends first, in a turn of its own. Then each lane is released in a turn of that lane, so that its
 * waiters are served. If the bus is killed in between, some lanes stay held, and the repeat of the call releases
 * them: leaving is not an error for a session that has already left.
 */
export async function leave(
  { store, turns }: Readonly<{ store: Store; turns: LaneTurns }>,
  input: ParsedInput<'leaveAgent'>,
  { idempotencyKey }: Call,
): Promise<Output<'leaveAgent'>> {
  const { agent } = input;
  const repeat = toRepeat('leaveAgent', input, idempotencyKey);
  const ended = await store.take<Ended>({
    asks: { agents: [agent], sessions: [input.session], ...askOnce(repeat) },
    decide(view) {
      // The result is only known at the end, so no response is stored yet.
      const known = repeat && view.find('answers', repeat.key);
      const decided = decideLeaveTurn(input, view);
      if (!known || view.now >= known.keptUntil) return decided;
      return decideOnce<Ended>(repeat, view, () => decided);
    },
  });
  if ('released' in ended) return ended;
  const answer = { agent, released: ended.hasLeft ? await releaseAll(store, turns, agent) : [] };
  if (ended.hasLeft) await endSubIds(store, agent);
  if (!repeat) return answer;
  return store.take({
    asks: askOnce(repeat),
    decide: (view) => ({ answer, rows: { answers: [toAnswerRow(repeat, answer, view.now)] } }),
  });
}

type Ended = Readonly<{ hasLeft: boolean }> | Output<'leaveAgent'>;

function decideLeaveTurn({ agent, session }: ParsedInput<'leaveAgent'>, view: View): Outcome<Ended> {
  const known = view.find('sessions', session)?.agent;
  const row = view.find('agents', agent);
  if (known !== agent || !row) {
    const whose = known === undefined ? 'has not joined' : `is the agent '${known}'`;
    const detail = `the session ${whose}, so it cannot leave as '${agent}': leave with the session that joined as that agent`;
    const data = { agent, session_agent: known ?? null };
    return { refusal: toBusError('not_your_session', detail, data) };
  }
  const left = decideLeave(row, session, view.now);
  return {
    answer: { hasLeft: left.hasLeft },
    rows: { agents: left.row === row ? [] : [left.row] },
    events: left.event ? [left.event] : [],
  };
}

/** The names of the lanes that belonged to the agent or its sub-ids and are free now. */
async function releaseAll(store: Store, turns: LaneTurns, agent: string): Promise<string[]> {
  const released: string[] = [];
  for (const whose of [{ owner: agent }, { under: agent }]) {
    for (let after: string | undefined; ; ) {
      const rows = await store.readLanes({ ...whose, after, limit: limits.pageRowsMax });
      const done = await Promise.all(rows.map((row) => release(turns, row, agent)));
      released.push(...rows.filter((_, index) => done[index]).map(({ lane }) => lane));
      after = rows.at(-1)?.lane;
      if (rows.length < limits.pageRowsMax) break;
    }
  }
  return released.sort();
}

/** Releases only the hold that was read: the fence tells it from a later grant. */
function release(turns: LaneTurns, { lane, hold, fence }: HeldLaneRow, agent: string): Promise<boolean> {
  return turns.take({
    lane,
    isOwed: true,
    decide: (state, now) => {
      if (state.row?.hold?.owner !== hold.owner) return { answer: false };
      const decided = decideRelease(state, { owner: hold.owner, fence }, now);
      if ('refused' in decided || decided.decision === 'free') return { answer: false };
      const { event } = decided;
      const told =
        hold.owner === agent ? event : { ...event, detail: { ...event.detail, releasedBy: agent } };
      return { answer: true, lane: decided.row, events: [told] };
    },
  });
}

/** The sub-ids of an agent have left with it. */
async function endSubIds(store: Store, agent: string): Promise<void> {
  for (let after: string | undefined; ; ) {
    const rows = await store.readAgents({ under: agent, after, limit: limits.agentsPerTurnMax });
    const ids = rows.map((row) => row.agent);
    if (ids.length > 0)
      await store.take({
        asks: { agents: ids },
        decide: ({ find, now }) => {
          const known = ids.flatMap((id) => find('agents', id) ?? []);
          return { answer: undefined, rows: { agents: known.map((row) => ({ ...row, leftAt: now })) } };
        },
      });
    after = ids.at(-1);
    if (rows.length < limits.agentsPerTurnMax) return;
  }
}
