// At the end of a session: releases every lane it holds, under its own id and under the id of its MCP server, so
// that nobody has to wait for the leases to expire. Says nothing, and succeeds when there is no bus. The argument is
// the name of the client: claude-code or codex.
import { takeEndedIds } from '../daemon/session-mark.ts';
import { type Answer, endWithin, findBus } from './bus.ts';
import { dataFolder, readSession } from './session.ts';

type Held = Readonly<{ lane: string; owner: string; fence?: number }>;

endWithin(900);
const bus = findBus();
const { agentId, isNamed } = await readSession(process.argv[2]);
const serverIds = isNamed ? [] : takeEndedIds({ dataFolder: dataFolder(), parentId: process.ppid });
const ids = [...(agentId === undefined ? [] : [agentId]), ...serverIds];
await Promise.allSettled(ids.map(releaseAll));
process.exit(0);

async function releaseAll(owner: string): Promise<void> {
  const lanes = await listLanes(owner);
  await Promise.allSettled(lanes.map(release));
}

/** Another kind of bus may not list lanes by owner, but the status contains them. */
async function listLanes(owner: string): Promise<readonly Held[]> {
  const toOwn = (lanes: unknown) => (lanes as readonly Held[]).filter((lane) => lane.owner === owner);
  try {
    const { lanes } = await bus.get(`/lanes?owner=${encodeURIComponent(owner)}&limit=500`);
    return toOwn(lanes);
  } catch {
    const { active_lanes: lanes } = await bus.get('/status');
    return toOwn(lanes);
  }
}

/** Sends the fence, so a lane that was granted to somebody else in the meantime stays theirs. */
function release({ lane, owner, fence }: Held): Promise<Answer> {
  const body = { owner, ...(fence !== undefined && { fence }) };
  return bus.post(`/lanes/${encodeURIComponent(lane)}/release`, body);
}
