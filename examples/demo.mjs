// Two agents, each a real MCP client over stdio with a server of its own, in front of one real bus.
// Run with `npm run demo`; the README shows what it prints.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const command = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bus-demo-'));
const bus = await startBus();
try {
  const ada = await connect('ada');
  const bob = await connect('bob');
  await playOut(ada, bob);
  await Promise.all([ada.client.close(), bob.client.close()]);
} finally {
  bus.child.kill('SIGTERM');
  await new Promise((resolve) => bus.child.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}

async function playOut(ada, bob) {
  await ada.call('claim_lane', { lane: 'feeds-refactor' });
  await bob.call('claim_lane', { lane: 'feeds-refactor' });
  await ada.call('heartbeat_lane', { lane: 'feeds-refactor' });
  await ada.call('post_message', { topic: 'feeds', body: 'parser split into three files, tests green' });
  await ada.call('post_message', { topic: 'feeds', body: 'please rotate the API key', action_flag: true });
  await ada.call('release_lane', { lane: 'feeds-refactor' });
  await bob.call('claim_lane', { lane: 'feeds-refactor', lease_s: 1 });
  await bob.call('read_messages', { topic: 'feeds', limit: 1 });
  say('       … bob forgets to heartbeat, and the lease of one second runs out …');
  await pause(1_100);
  await ada.call('claim_lane', { lane: 'feeds-refactor' });
  await bob.call('heartbeat_lane', { lane: 'feeds-refactor' });
  await ada.call('get_bus_status', {});
}

/** One agent: a client, and the MCP server that it started. */
async function connect(name) {
  const client = new Client({ name, version: '1.0.0' });
  const env = { ...process.env, BUS_MCP_BASE_URL: `${bus.url}/api/bus`, BUS_MCP_AGENT_ID: name };
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [command], env }));
  async function call(tool, given) {
    const { structuredContent } = await client.callTool({ name: tool, arguments: given });
    say(`${name} → ${tool}(${toArguments(given)})`);
    say(`    ${structuredContent.ok ? '✓' : '✗'} ${toSummary(tool, structuredContent)}`);
  }
  return { client, call };
}

async function startBus() {
  const args = [command, 'serve', '--port', '0', '--store', join(folder, 'bus.db')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [printed, logged] = ['', ''];
  child.stderr.on('data', (chunk) => {
    logged += chunk;
  });
  for await (const chunk of child.stdout) {
    printed += chunk;
    const url = /listens on\s+(\S+)/.exec(printed)?.[1];
    if (url) return { child, url };
  }
  throw new Error(`the bus did not start: ${logged}`);
}

function toArguments(given) {
  return Object.entries(given)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ');
}

function toSummary(tool, { error, ...answer }) {
  if (error) return `${error.code}: ${error.message}`;
  if (tool === 'post_message') return `message ${answer.id}`;
  if (tool === 'read_messages') return answer.messages.map(({ id, body }) => `#${id} ${body}`).join('; ');
  if (tool === 'release_lane') return answer.decision;
  if (tool === 'get_bus_status') return toStatusSummary(answer);
  const { decision, lane } = answer;
  return `${decision}: ${lane.owner} holds it for ${lane.expires_in_s} s, fence ${lane.fence}`;
}

function toStatusSummary({ active_lanes, recent_messages, _meta }) {
  const lanes = active_lanes.map(({ lane, owner }) => `${lane} (${owner})`).join(', ');
  const flagged = recent_messages.filter(({ action_flag }) => action_flag);
  const flags = flagged.map(({ body }) => body).join(', ');
  return `held: ${lanes}; needs a person: ${flags}; ${_meta.message_count} messages`;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
