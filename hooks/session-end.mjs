// At the end of a session: releases every lane it holds, under its own id and under that of its MCP server, so that
// nobody waits for the leases to run out. Says nothing, and succeeds when there is no bus. Called with the name of the
// client: claude-code or codex.
import { endWithin, findBus } from './bus.mjs';
import { takeServerIds } from './client.mjs';
import { readSession } from './session.mjs';

endWithin(900);
const [bus, { agentId, isNamed }] = await Promise.all([findBus(), readSession(process.argv[2])]);
const ids = [...(agentId === undefined ? [] : [agentId]), ...(isNamed ? [] : takeServerIds())];
await Promise.allSettled(ids.map(releaseAll));
process.exit(0);

async function releaseAll(owner) {
  const lanes = await listLanes(owner);
  await Promise.allSettled(lanes.map(release));
}

/** A bus of another make may not list lanes by owner; the status has them too. */
async function listLanes(owner) {
  const isOwn = (lane) => lane.owner === owner;
  try {
    const { lanes } = await bus.get(`/lanes?owner=${encodeURIComponent(owner)}&limit=500`);
    return lanes.filter(isOwn);
  } catch {
    const { active_lanes: lanes } = await bus.get('/status');
    return lanes.filter(isOwn);
  }
}

/** With its fence, so that a lane which somebody else was granted meanwhile stays theirs. */
function release({ lane, owner, fence }) {
  const body = { owner, ...(fence !== undefined && { fence }) };
  return bus.post(`/lanes/${encodeURIComponent(lane)}/release`, body);
}
