import type { Call, Output, ParsedInput } from '../contract/contract.ts';
import { toBusError } from '../contract/errors.ts';
import type { AgentSession } from '../store/schema.ts';
import type { Outcome, Store, View } from '../store/store.ts';
import { toTimestamp } from '../store/timestamp.ts';
import { parseAgentId, toAgentId, toStem } from './agent-ids.ts';
import { decideJoin, decideNextNumber, decideTaken, othersIn } from './agents.ts';
import type { Presence } from './presence.ts';
import { askOnce, decideOnce, toRepeat } from './repeats.ts';

/** The stem under which the numbers stand that may have been given in what was lost. No client has this name. */
const floorStem = '';

/**
 * Tells a session which agent it is.
 *
 * A turn asks for rows by their keys, so which agent a session is must be known before the turn that looks at that agent.
 * It is read first, and when another call changed it in between, all is done again. The id of a new session needs no look
 * ahead: it is made within the turn from the last number of its stem, and turns are taken one after the other, so that no
 * two sessions get the same, at whichever bus they ask.
 */
export async function join(
  { store, presence }: Readonly<{ store: Store; presence: Presence }>,
  input: ParsedInput<'joinAgent'>,
  { idempotencyKey }: Call,
): Promise<Output<'joinAgent'>> {
  const repeat = toRepeat('joinAgent', input, idempotencyKey);
  // An id that somebody took without joining is kept first, so that it is not given as well.
  await presence.keepUnknown();
  for (;;) {
    const agent = (await readAgentOf(store, input.session)) ?? input.agent;
    const stem = (agent === undefined ? undefined : parseAgentId(agent)?.stem) ?? toStem(input.client);
    try {
      return await store.take({
        asks: {
          sessions: [input.session],
          agents: agent === undefined ? [] : [agent],
          stems: [stem, floorStem],
          ...askOnce(repeat),
        },
        decide: (view) => decideOnce(repeat, view, () => decideJoinTurn({ input, agent, stem }, view)),
      });
    } catch (error) {
      if (error !== changedMeanwhile) throw error;
    }
  }
}

const changedMeanwhile = new Error('another call changed which agent the session is');

function decideJoinTurn(
  { input, agent: expected, stem }: Readonly<{ input: Input; agent: string | undefined; stem: string }>,
  view: View,
): Outcome<Output<'joinAgent'>> {
  const { session, agent: wished } = input;
  const lastOf = (name: string) => view.find('stems', name)?.lastNumber ?? 0;
  const known = view.find('sessions', session)?.agent;
  if (known !== undefined && wished !== undefined && known !== wished) return refuseOther(known, wished);
  if ((known ?? wished) !== expected) throw changedMeanwhile;
  const next = expected === undefined ? decideNextNumber(lastOf(stem), lastOf(floorStem)) : undefined;
  const agent = expected ?? toAgentId(stem, next ?? 0);
  const row = expected === undefined ? undefined : view.find('agents', expected);
  const joined = decideJoin(agent, row, input, view.now);
  const taken = next ?? decideTaken(agent, lastOf(stem));
  const others = othersIn(joined.row, session);
  const shared = others.length > 0 && { shared_with: others.map(toShared) };
  return {
    answer: { agent, is_new: joined.isNew, ...shared },
    rows: {
      agents: joined.row === row ? [] : [joined.row],
      sessions: known === undefined ? [{ session, agent }] : [],
      stems: taken === undefined ? [] : [{ stem, lastNumber: taken }],
    },
    removed: { sessions: joined.forgotten },
    events: joined.event ? [joined.event] : [],
  };
}

type Input = ParsedInput<'joinAgent'>;

function refuseOther(known: string, wished: string) {
  const detail = `the session is the agent '${known}' already, and not '${wished}': leave agent out, or join with a session of your own`;
  return { refusal: toBusError('not_your_session', detail, { agent: wished, session_agent: known }) };
}

function toShared({ client, place, joinedAt }: AgentSession) {
  return {
    ...(client !== undefined && { client }),
    ...(place !== undefined && { place }),
    joined_at: toTimestamp(joinedAt),
  };
}

/** A turn that changes nothing is how a row is read by its key. */
function readAgentOf(store: Store, session: string): Promise<string | undefined> {
  return store.take({
    asks: { sessions: [session] },
    decide: (view) => ({ answer: view.find('sessions', session)?.agent }),
  });
}
