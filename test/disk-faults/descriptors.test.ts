import { spawnSync } from 'node:child_process';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { until } from '../suite/ask.ts';

const canLimit = spawnSync('bash', ['-c', 'ulimit -n 80']).status === 0;
if (!canLimit) console.warn('skipped: a process without descriptors (no bash here that can limit them)');

test.skipIf(!canLimit)(
  'a bus that can open no connection any more says so once, answers 503 at /healthz, and says when it is over',
  async () => {
    const under = ['bash', '-c', 'ulimit -n 80; exec "$0" "$@"'];
    const bus = await startBus({ store: join(createFolder(), 'bus.db'), under });
    // Who comes later is cut off, so whoever wants to hear of it has a connection already.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    expect((await askHealth(bus.url, agent)).status).toBe(200);
    const sockets = Array.from({ length: 100 }, () => open(bus.url));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    await until('the log has it', () => bus.said().includes('new callers are cut off'));
    const { status, text } = await askHealth(bus.url, agent);
    expect([status, text]).toEqual([503, expect.stringContaining('raise its limit of open files')]);
    for (const socket of sockets) socket.destroy();
    await until('it is over', () => bus.said().includes('files and connections can be opened again'));
    expect((await askHealth(bus.url, agent)).status).toBe(200);
    expect(bus.said().split('new callers are cut off')).toHaveLength(2);
  },
);

function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).on('error', () => {});
}

function askHealth(url: string, agent: Agent): Promise<Readonly<{ status?: number; text: string }>> {
  return new Promise((resolve, reject) => {
    get(`${url}/healthz`, { agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    }).on('error', reject);
  });
}
