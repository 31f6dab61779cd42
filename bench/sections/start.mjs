// How soon the stdio server answers after it was started, how long hooks hold up a session, and memory at rest.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inTurn } from '../rounds.mjs';
import { commandFile, startBus } from '../servers.mjs';

export const title = 'Starting, hooks, and memory at rest';

export async function run({ settings, progress, report }) {
  const bare = fileURLToPath(new URL('../peers/bare-rpc.mjs', import.meta.url));
  const { theirs, ...starts } = await inTurn({
    rounds: settings.isQuick ? 3 : 15,
    subjects: {
      'spawn to tools/list': [commandFile],
      'the same with mcp --read-only': [commandFile, 'mcp', '--read-only'],
      theirs: [bare],
    },
    progress,
    measure: listToolsOnce,
  });
  for (const [name, ours] of Object.entries(starts)) {
    const ratio = ours.ms / theirs.ms;
    report({ name, against: 'bare script', ours, theirs, ratio, target: { atMost: 1.5 } });
  }
  const { megabytes } = starts['spawn to tools/list'];
  report({ name: 'memory of the stdio server', ours: { megabytes } });
  const { bus } = await inTurn({
    rounds: settings.isQuick ? 3 : 15,
    subjects: { bus: settings.store },
    progress,
    measure: startOnce,
  });
  report({ name: 'spawn to a bus that listens', ours: bus });
  const server = await startBus({ store: settings.store });
  await pause(1_000);
  report({ name: 'memory of the bus', ours: { megabytes: server.residentBytes() / 1_048_576 } });
  await measureHooks({ settings, progress, report, server });
  await server.stop();
}

async function startOnce(store) {
  const startedAt = performance.now();
  const server = await startBus({ store });
  const ms = performance.now() - startedAt;
  await server.stop();
  return { ms };
}

/** The session of the hooks holds a lane each time: the first one tells of it, the second one releases it. */
async function measureHooks({ settings, progress, report, server }) {
  const hook = (name) => [fileURLToPath(new URL(`../../hooks/${name}.mjs`, import.meta.url)), 'claude-code'];
  const { bare, ...hooks } = await inTurn({
    rounds: settings.isQuick ? 3 : 25,
    subjects: {
      bare: ['-e', '0'],
      'hook at session start': hook('session-start'),
      'hook at session end': hook('session-end'),
    },
    progress,
    measure: (given) => runHook(given, server, settings),
  });
  for (const [name, ours] of Object.entries(hooks)) {
    report({
      name,
      against: 'node -e 0',
      ours,
      theirs: bare,
      ratio: ours.ms / bare.ms,
      target: { msAtMost: 100 },
    });
  }
}

async function runHook(given, { folder, url }, { store }) {
  const session = { session_id: 'bench', cwd: folder };
  await fetch(`${url}/api/bus/lanes/bench/claim`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ owner: `claude-code:${session.session_id}` }),
  });
  const place = store ? { BUS_MCP_BASE_URL: `${url}/api/bus` } : { BUS_STORE: join(folder, 'bus.db') };
  const env = { PATH: process.env.PATH, HOME: folder, ...place };
  const startedAt = performance.now();
  const child = spawn(process.execPath, given, { env, stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.on('error', () => {}).end(JSON.stringify(session));
  await new Promise((resolve) => child.once('exit', resolve));
  return { ms: performance.now() - startedAt };
}

async function listToolsOnce(given) {
  const startedAt = performance.now();
  const env = { ...process.env, BUS_MCP_AUTOSTART: '0' };
  const child = spawn(process.execPath, given, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  };
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  send({ id: 1, method: 'initialize', params });
  await lines.next();
  send({ method: 'notifications/initialized' });
  send({ id: 2, method: 'tools/list', params: {} });
  await lines.next();
  const ms = performance.now() - startedAt;
  const megabytes =
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  child.stdin.end();
  await exited;
  return { ms, megabytes };
}
