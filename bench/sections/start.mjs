// How soon the stdio server answers after it was started, and how much memory things take at rest.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inTurn } from '../rounds.mjs';
import { commandFile, startBus } from '../servers.mjs';

export const title = 'Starting, and memory at rest';

export async function run({ settings, progress, report }) {
  const bare = fileURLToPath(new URL('../peers/bare-rpc.mjs', import.meta.url));
  const { ours, theirs } = await inTurn({
    rounds: settings.isQuick ? 3 : 15,
    subjects: { ours: commandFile, theirs: bare },
    progress,
    measure: listToolsOnce,
  });
  const ratio = ours.ms / theirs.ms;
  report({
    name: 'spawn to tools/list',
    against: 'bare script',
    ours,
    theirs,
    ratio,
    target: { atMost: 1.5 },
  });
  report({ name: 'memory of the stdio server', ours: { megabytes: ours.megabytes } });
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
  await server.stop();
}

async function startOnce(store) {
  const startedAt = performance.now();
  const server = await startBus({ store });
  const ms = performance.now() - startedAt;
  await server.stop();
  return { ms };
}

async function listToolsOnce(file) {
  const startedAt = performance.now();
  const env = { ...process.env, BUS_MCP_AUTOSTART: '0' };
  const child = spawn(process.execPath, [file], { env, stdio: ['pipe', 'pipe', 'ignore'] });
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
