// Eight agents begin at the same moment, on a machine on which no bus runs. Four lanes for eight of them: who gets
// which, what becomes of the others, and what happens when two agents die. Run it with: node examples/eight-sessions.mjs
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const agents = ['ada', 'bob', 'cem', 'dea', 'eli', 'fay', 'gus', 'hal'];
const lanes = ['api', 'docs', 'tests', 'deploy'];
const leaseSeconds = 2;
const command = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'eight-sessions-'));
const environment = {
  PATH: process.env.PATH ?? '',
  HOME: folder,
  XDG_DATA_HOME: folder,
  LOCALAPPDATA: folder,
  BUS_STORE: join(folder, 'bus.db'),
  BUS_PORT: '0',
};

const giveUp = setTimeout(() => {
  console.error('this takes longer than a minute: something hangs');
  process.exit(1);
}, 60_000);

let status = 1;
const sessions = [];
try {
  await play();
  status = 0;
} catch (error) {
  console.error(`\nan invariant does not hold: ${error.message}`);
} finally {
  await Promise.all(sessions.map((session) => session.close()));
  await runCommand('down');
  await rm(folder, { recursive: true, force: true });
  clearTimeout(giveUp);
}
process.exit(status);

async function play() {
  heading('Eight MCP servers start at once; no bus runs');
  sessions.push(...(await Promise.all(agents.map(openSession))));
  const grants = await Promise.all(sessions.map(claimFirstFree));
  const bus = await readAddress();
  console.log(`  the one bus: process ${bus.processId} at ${bus.baseUrl}`);

  heading('Each takes the first free of four lanes');
  const holders = grants.filter((grant) => grant.lane !== undefined);
  const others = grants.filter((grant) => grant.lane === undefined);
  for (const { session, lane, refusals } of grants) {
    const got = lane === undefined ? 'empty-handed' : `holds ${lane}`;
    console.log(`  ${session.agent}  ${got.padEnd(14)}${refusals.map((refusal) => `; ${refusal}`).join('')}`);
  }
  assert.deepEqual(holders.map(({ lane }) => lane).sort(), [...lanes].sort(), 'each lane has one holder');

  heading('The four without a lane wait; two holders are killed, two release');
  const ends = [terminate, kill, release, release];
  await Promise.all(holders.map((holder, index) => handOver(holder, others[index].session, ends[index])));

  heading('What the bus noted, lane by lane');
  const events = await readEvents(bus);
  for (const lane of lanes) tellHistory(events.filter((event) => event.lane === lane));

  heading('Checked');
  await checkOneBus(bus);
  checkHistories(events);
}

/** An agent with its own MCP server, as any MCP client starts it. */
async function openSession(agent) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [command],
    env: { ...environment, BUS_MCP_AGENT_ID: agent },
    stderr: 'ignore',
  });
  const client = new Client({ name: agent, version: '1.0.0' });
  await client.connect(transport);
  return {
    agent,
    processId: transport.pid,
    async call(name, given) {
      const { structuredContent } = await client.callTool({ name, arguments: given });
      return structuredContent;
    },
    close: () => client.close().catch(() => {}),
  };
}

/** Every agent begins at another lane, so that all lanes are contended for. */
async function claimFirstFree(session, index) {
  const refusals = [];
  for (const step of lanes.keys()) {
    const lane = lanes[(index + step) % lanes.length];
    const answer = await session.call('claim_lane', { lane, lease_s: leaseSeconds, keep_alive: true });
    if (answer.ok) return { session, lane, refusals };
    assert.equal(answer.error.code, 'lane_held', answer.error.message);
    refusals.push(`${lane} is ${answer.error.data.owner}'s`);
  }
  return { session, refusals };
}

/** A holder comes to its end while another agent waits for the lane. */
async function handOver({ session: holder, lane }, waiter, end) {
  const waiting = waiter.call('claim_lane', { lane, lease_s: leaseSeconds, keep_alive: true, wait_s: 30 });
  await waitUntilListed(lane, waiter);
  const endedAt = performance.now();
  const { how, decision, secondsMax, notBefore = '' } = await end(holder, lane, waiter);
  const answer = await waiting;
  const seconds = (performance.now() - endedAt) / 1000;
  assert.equal(answer.ok, true, answer.error?.message);
  console.log(
    `  ${lane.padEnd(7)} ${holder.agent} ${how}: ${waiter.agent} has it ${seconds.toFixed(1)} s later`,
  );
  assert.equal(answer.decision, decision, `${lane} came to ${waiter.agent} by a ${decision}`);
  assert.ok(
    answer.lane.claimed_at >= notBefore,
    `${lane} stayed with ${holder.agent} until its lease ran out`,
  );
  assert.ok(seconds < secondsMax, `${lane} came free within ${secondsMax} s`);
}

async function terminate({ processId }) {
  process.kill(processId, 'SIGTERM');
  return { how: 'ended by SIGTERM, its server released', decision: 'claim', secondsMax: 1 };
}

/** Nobody can release any more; what it held was renewed until now, so the lease may run for its whole length. */
async function kill({ processId }, lane) {
  process.kill(processId, 'SIGKILL');
  const { baseUrl } = await readAddress();
  const held = await (await fetch(`${baseUrl}/lanes/${lane}`)).json();
  const notBefore = held.lane.expires_at;
  const secondsMax = leaseSeconds + 1;
  return { how: 'killed by SIGKILL, its lease ran out', decision: 'steal', secondsMax, notBefore };
}

async function release(session, lane) {
  await session.call('release_lane', { lane });
  return { how: 'done, and released it itself', decision: 'claim', secondsMax: 1 };
}

async function waitUntilListed(lane, { agent, call }) {
  for (;;) {
    const { waiting } = await call('get_bus_status', {});
    if (waiting.some((waiter) => waiter.lane === lane && waiter.owner === agent)) return;
  }
}

async function readAddress() {
  return JSON.parse(await readFile(`${environment.BUS_STORE}.address`, 'utf8'));
}

async function readEvents({ baseUrl }) {
  const response = await fetch(`${baseUrl}/events?limit=500`);
  const { events, has_more: hasMore } = await response.json();
  assert.equal(hasMore, false);
  return events;
}

function tellHistory(events) {
  const words = {
    lane_claimed: 'claimed by',
    lane_stolen: 'expired, taken by',
    lane_released: 'released by',
  };
  const steps = events.map(({ kind, owner, fence }) => `${words[kind]} ${owner} (fence ${fence})`);
  console.log(`  ${events[0].lane.padEnd(7)} ${steps.join(' · ')}`);
}

async function checkOneBus(bus) {
  const log = await readFile(`${environment.BUS_STORE}.log`, 'utf8');
  const starts = log.split('\n').filter((line) => line.includes('"the bus listens"'));
  assert.equal(starts.length, 1, 'exactly one bus ever listened');
  assert.equal((await readAddress()).processId, bus.processId, 'it is still the same');
  process.kill(bus.processId, 0);
  console.log('  exactly one bus, from the first call to the last');
}

/** Replays what the bus noted: a lane is granted only when nobody holds it, and every grant has a higher fence. */
function checkHistories(events) {
  const held = new Map();
  const fences = new Map();
  const ofLanes = events.filter(({ lane }) => lane !== undefined);
  for (const { kind, lane, owner, fence, previous_owner: previousOwner } of ofLanes) {
    if (kind === 'lane_released') {
      assert.equal(held.get(lane), owner, `${lane} was released by its holder`);
      held.delete(lane);
      continue;
    }
    assert.equal(
      held.get(lane),
      kind === 'lane_stolen' ? previousOwner : undefined,
      `${lane} had no second holder`,
    );
    assert.ok(fence > (fences.get(lane) ?? 0), `the fence of ${lane} grew`);
    held.set(lane, owner);
    fences.set(lane, fence);
  }
  console.log('  never two holders of a lane, and a higher fence for each');
  console.log('  what the terminated one held was free at once, what the killed one held after its lease');
}

async function runCommand(...parameters) {
  await promisify(execFile)(process.execPath, [command, ...parameters], { env: environment });
}

function heading(text) {
  console.log(`\n${text}`);
}
