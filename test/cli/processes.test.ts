import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Client } from '../../src/http/client.ts';
import { commandFile } from '../build.ts';
import { startBus, useBus } from '../bus-process.ts';
import { useFolder } from '../folder.ts';
import { startCommand } from '../processes.ts';

const folder = useFolder();
const patience = { timeout: 10_000, interval: 20 };
const server = useBus(folder);
let bus: Client;

beforeAll(() => {
  bus = server().client;
});

function start(argv: readonly string[]) {
  return startCommand(argv, { BUS_MCP_BASE_URL: server().baseUrl });
}

async function countWaiters(lane: string): Promise<number> {
  return (await bus.getLane({ lane })).waiting.length;
}

describe('the command as it ships', () => {
  it('ends with the status that says how it went', async () => {
    const statuses = [
      await start(['claim', 'a', '--owner', 'x']).ended,
      await start(['claim', 'a', '--owner', 'y']).ended,
      await start(['claim', 'a', '--ownr', 'y']).ended,
      await start(['claim', 'a', '--owner', 'y', '--base-url', 'http://127.0.0.1:1/api/bus']).ended,
    ];
    expect(statuses).toEqual([0, 1, 2, 3]);
  });

  it('posts a body from the input that is too long for an argument', async () => {
    const body = '界'.repeat(60_000);
    const child = spawn(process.execPath, [commandFile, 'post', 'long', '-'], {
      env: { PATH: process.env.PATH, HOME: folder, BUS_MCP_BASE_URL: server().baseUrl },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(`${body}\n`);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect((await bus.readMessages({ topic: 'long' })).messages[0]?.body).toBe(body);
  });
});

describe('watch as it ships', () => {
  it('prints events as they happen, ends well when interrupted and when nobody reads', async () => {
    const watch = start(['watch', '--topic', 'news', '--since', '0']);
    await bus.postMessage({ topic: 'news', sender: 'ada', body: 'first' });
    await vi.waitFor(() => expect(watch.output()).toMatch(/posted #\d+ news ada: first\n$/), patience);
    const piped = spawn('sh', ['-c', `"${process.execPath}" "${commandFile}" watch --since 0 | head -1`], {
      env: { PATH: process.env.PATH, HOME: folder, BUS_MCP_BASE_URL: server().baseUrl },
    });
    let complaints = '';
    piped.stderr.on('data', (chunk) => {
      complaints += chunk;
    });
    await vi.waitFor(async () => {
      await bus.postMessage({ topic: 'noise', sender: 'ada', body: 'x' });
      expect(piped.exitCode).toBe(0);
    }, patience);
    expect(complaints).toBe('');
    watch.child.kill('SIGINT');
    expect(await watch.ended).toBe(0);
    expect(watch.errorOutput()).toBe('');
  });

  it('goes on after the bus was stopped and started again', async () => {
    const store = join(folder, 'again.db');
    const first = await startBus({ store });
    const watch = startCommand(['watch', '--since', '0'], { BUS_MCP_BASE_URL: first.baseUrl });
    const { client } = first;
    await client.postMessage({ topic: 'news', sender: 'ada', body: 'before' });
    await vi.waitFor(() => expect(watch.output()).toContain('before'), patience);
    first.process.kill();
    await once(first.process, 'close');
    expect(first.process.exitCode).toBe(0);
    const second = await startBus({ store, environment: { BUS_PORT: String(first.port) } });
    await client.postMessage({ topic: 'news', sender: 'ada', body: 'after' });
    await vi.waitFor(() => expect(watch.output()).toContain('after'), patience);
    watch.child.kill();
    expect(await watch.ended).toBe(0);
    await second.end();
    expect(watch.output().match(/before/g)).toHaveLength(1);
  });
});

describe('hold as it ships', () => {
  it('serves fifty in the order in which they came, each alone', { timeout: 180_000 }, async () => {
    const [counter, order] = [join(folder, 'counter'), join(folder, 'order')];
    writeFileSync(counter, '0');
    writeFileSync(order, '');
    await bus.claimLane({ lane: 'count', owner: 'test' });
    const script = `n=$(cat ${counter}); sleep 0.01; echo $((n + 1)) > ${counter}; echo $1 >> ${order}`;
    const runs = [];
    for (let place = 1; place <= 50; place += 1) {
      runs.push(start(['hold', 'count', '--', 'sh', '-c', script, 'sh', String(place)]));
      await vi.waitFor(async () => expect(await countWaiters('count')).toBe(place), patience);
    }
    await bus.releaseLane({ lane: 'count', owner: 'test' });
    const statuses = await Promise.all(runs.map(({ ended }) => ended));
    expect(new Set(statuses)).toEqual(new Set([0]));
    expect(readFileSync(counter, 'utf8')).toBe('50\n');
    const served = readFileSync(order, 'utf8').trim().split('\n').map(Number);
    expect(served).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect((await bus.getLane({ lane: 'count' })).state).toBe('free');
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    'passes %s on, releases the lane, and ends as the command did',
    async (signal) => {
      const script =
        "trap 'echo tidied; exit 4' INT TERM HUP QUIT; echo begun; for _ in $(seq 500); do sleep 0.02; done";
      const run = start(['hold', 'signals', '--', 'sh', '-c', script]);
      await vi.waitFor(() => expect(run.output()).toBe('begun\n'), patience);
      expect((await bus.getLane({ lane: 'signals' })).state).toBe('held');
      run.child.kill(signal);
      expect(await run.ended).toBe(4);
      expect(run.output()).toBe('begun\ntidied\n');
      expect((await bus.getLane({ lane: 'signals' })).state).toBe('free');
    },
  );

  it('runs one command at a time, also when two are told to be the same owner', async () => {
    const run = start([
      'hold',
      'cron',
      '--owner',
      'bot',
      '--',
      'sh',
      '-c',
      'echo begun; for _ in $(seq 500); do sleep 0.02; done',
    ]);
    await vi.waitFor(() => expect(run.output()).toBe('begun\n'), patience);
    const other = start(['hold', 'cron', '--owner', 'bot', '--lease', '1', '--', 'echo', 'begun']);
    expect(await other.ended).toBe(75);
    expect(other.output()).toBe('');
    expect(other.errorOutput()).toContain("lane 'cron' is held by 'bot' already");
    expect((await bus.getLane({ lane: 'cron' })).lane).toMatchObject({ owner: 'bot', lease_s: 60, fence: 1 });
    run.child.kill();
    await run.ended;
  });

  it('gives up its place when it is told to end while it waits', async () => {
    await bus.claimLane({ lane: 'queue', owner: 'test' });
    const run = start(['hold', 'queue', '--', 'true']);
    await vi.waitFor(async () => expect(await countWaiters('queue')).toBe(1), patience);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(143);
    await vi.waitFor(async () => expect(await countWaiters('queue')).toBe(0), patience);
  });

  it('stops its command when the lane was given to another', async () => {
    const run = start(['hold', 'lost', '--lease', '2', '--', 'sh', '-c', 'echo $BUS_OWNER; sleep 60; true']);
    await vi.waitFor(() => expect(run.output()).toMatch(/\n$/), patience);
    await bus.releaseLane({ lane: 'lost', owner: run.output().trim() });
    await bus.claimLane({ lane: 'lost', owner: 'thief' });
    expect(await run.ended).toBe(143);
    expect(run.errorOutput()).toContain("lane 'lost' is lost, stopping the command");
    expect((await bus.getLane({ lane: 'lost' })).lane.owner).toBe('thief');
  });
});
