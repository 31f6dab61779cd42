// At the end of a session: releases every lane its agent id holds, so that nobody waits for the leases to run out.
// Says nothing, and succeeds when there is no bus. Called with the name of the client: claude-code or codex.
import { endWithin, findBus } from './bus.mjs';
import { readSession } from './session.mjs';

endWithin(900);
const [bus, { agentId }] = await Promise.all([findBus(), readSession(process.argv[2])]);
if (agentId === undefined) process.exit(0);
const lanes = await listLanes();
await Promise.allSettled(lanes.map(({ lane, fence }) => release(lane, fence)));
process.exit(0);

/** A bus of another make may not list lanes by owner; the status has them too. */
async function listLanes() {
  try {
    const { lanes } = await bus.get(`/lanes?owner=${encodeURIComponent(agentId)}&limit=500`);
    return lanes.filter(({ owner }) => owner === agentId);
  } catch {
    const { active_lanes: lanes } = await bus.get('/status');
    return lanes.filter(({ owner }) => owner === agentId);
  }
}

/** With its fence, so that a lane which somebody else was granted meanwhile stays theirs. */
function release(lane, fence) {
  const body = { owner: agentId, ...(fence !== undefined && { fence }) };
  return bus.post(`/lanes/${encodeURIComponent(lane)}/release`, body);
}
