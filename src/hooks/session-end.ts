// At the end of a session: tells the bus that its agent leaves, which releases every lane of the agent and of its
// subagents, so that nobody has to wait for the leases to expire. Says nothing, and succeeds when there is no bus. The
// argument is the name of the client: claude-code or codex.
import { isOfOlderBus, join } from './agent.ts';
import { type Answer, endWithin, findBus } from './bus.ts';
import { readSession } from './session.ts';

type Held = Readonly<{ lane: string; owner: string; fence?: number }>;

endWithin(900);
const bus = findBus();
const session = await readSession(process.argv[2]);
const agent = await join(bus, session);
if (agent !== undefined) await leave(agent);
process.exit(0);

async function leave(agent: string): Promise<void> {
  try {
    await bus.post(`/agents/${encodeURIComponent(agent)}/leave`, { session: session.key?.session });
  } catch (error) {
    if (!isOfOlderBus(error)) return;
    const lanes = await listLanes(agent);
    await Promise.allSettled(lanes.map(release));
  }
}

/** A bus of another make may not list lanes by owner. The status has them too, and those of subagents. */
async function listLanes(agent: string): Promise<readonly Held[]> {
  const asked = [bus.get(`/lanes?owner=${encodeURIComponent(agent)}&limit=500`), bus.get('/status')];
  const answers = await Promise.allSettled(asked);
  const lanes = answers.flatMap((answer) =>
    answer.status === 'fulfilled' ? ((answer.value.lanes ?? answer.value.active_lanes ?? []) as Held[]) : [],
  );
  const own = lanes.filter(({ owner }) => owner === agent || owner.startsWith(`${agent}/`));
  return [...new Map(own.map((held) => [held.lane, held])).values()];
}

/** With its fence: a lane that somebody else was granted meanwhile stays theirs. */
function release({ lane, owner, fence }: Held): Promise<Answer> {
  const body = { owner, ...(fence !== undefined && { fence }) };
  return bus.post(`/lanes/${encodeURIComponent(lane)}/release`, body);
}
