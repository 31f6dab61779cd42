import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Client, createClient } from '../../src/http/client.ts';
import { type RunningBus, startBus } from '../bus-process.ts';
import { soon, until } from '../suite/ask.ts';
import { createTestSchemaOn } from '../suite/postgres.ts';
import { type PostgresServer, serverPassword, startPostgresServer } from '../suite/postgres-server.ts';
import { idsUpTo } from './buses.ts';
import { startProxy } from './proxy.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgresServer();
});
afterAll(() => server.remove());

const startBusOn = (url: string) => startBus({ environment: { BUS_STORE: url } });

function openClientOf(...buses: readonly RunningBus[]): Client {
  const client = createClient({ baseUrl: buses.map(({ url }) => `${url}/api/bus`).join() });
  onTestFinished(client.close);
  return client;
}

describe('a bus that is killed in the middle of calls', () => {
  test('is not noticed by clients that know another, and nothing is done twice', async () => {
    const { url } = createTestSchemaOn(server.url);
    const proxy = await startProxy(server.port);
    const [one, other] = await Promise.all([
      startBusOn(url.replace(`:${server.port}/`, `:${proxy.port}/`)),
      startBusOn(url),
    ]);
    const posted = new Map<string, number>();
    const fences = new Map<string, number[]>();
    let isOver = false;

    /** Never repeats a call itself: any failure ends the test. */
    async function work(number: number): Promise<void> {
      const client = openClientOf(one, other);
      const owner = `agent-${number}`;
      const lane = `lane-${number}`;
      fences.set(lane, []);
      for (let turn = 0; !isOver; turn += 1) {
        const body = `${owner}/${turn}`;
        const [message, claim] = await Promise.all([
          client.postMessage({ topic: 'work', sender: owner, body }),
          client.claimLane({ lane, owner }),
        ]);
        posted.set(body, message.id);
        fences.get(lane)?.push(claim.lane.fence ?? 0);
        expect(await client.releaseLane({ lane, owner })).toMatchObject({ decision: 'released' });
      }
    }

    const waiting = openClientOf(one, other).readMessages({ topic: 'end', since_id: 0, wait_s: 60 });
    waiting.catch(() => {});
    const working = Promise.all(idsUpTo(12).map(work));
    await Promise.race([working, until('they work', () => posted.size > 100)]);
    // What it was asked is kept, and it could answer nobody any more.
    await soon('a commit', proxy.holdAtCommit());
    process.kill(one.pid, 'SIGKILL');
    const atKill = posted.size;
    await Promise.race([working, until('they go on', () => posted.size > atKill + 100)]);
    isOver = true;
    await working;

    const left = openClientOf(other);
    await left.postMessage({ topic: 'end', sender: 'all', body: 'done' });
    expect((await soon('the reader', waiting, 10)).messages).toMatchObject([{ body: 'done' }]);
    const kept = await readAll(left);
    expect(kept.map(({ id }) => id)).toEqual(idsUpTo(kept.length));
    const once = [...posted].map(([body, id]) => ({ id, body })).sort((a, b) => a.id - b.id);
    expect(kept.slice(0, -1).map(({ id, body }) => ({ id, body }))).toEqual(once);
    for (const [lane, granted] of fences) {
      expect(granted, lane).toEqual(idsUpTo(granted.length));
      expect((await left.getLane({ lane })).fence).toBe(granted.length);
    }
  });
});

describe('a bus that is killed while a claim waits in it', () => {
  const claim = { lane: 'docs', owner: 'bob', lease_s: 60 };

  async function killWithWaiter() {
    const { url } = createTestSchemaOn(server.url);
    const [one, other] = await Promise.all([startBusOn(url), startBusOn(url)]);
    const [first, second] = [openClientOf(one), openClientOf(other)];
    await second.claimLane({ lane: 'docs', owner: 'ada', lease_s: 600 });
    const waiting = first.claimLane({ ...claim, wait_s: 60 }, { idempotencyKey: 'of-bob' });
    waiting.catch(() => {});
    const isWaiting = async () => (await second.getLane({ lane: 'docs' })).waiting.length === 1;
    await until('bob waits', isWaiting);
    process.kill(one.pid, 'SIGKILL');
    await pause(1_500);
    expect(await isWaiting(), 'its place is kept for a while').toBe(true);
    return second;
  }

  test('does not leave the lane to a caller who would never hear of it', async () => {
    const client = await killWithWaiter();
    await client.releaseLane({ lane: 'docs', owner: 'ada' });
    expect(await client.claimLane({ lane: 'docs', owner: 'zoe' })).toMatchObject({ decision: 'claim' });
  });

  test('leaves its place to the repeat of the call at another bus', async () => {
    const client = await killWithWaiter();
    const repeated = client.claimLane({ ...claim, wait_s: 60 }, { idempotencyKey: 'of-bob' });
    const later = client.claimLane({ lane: 'docs', owner: 'zoe', wait_s: 60 });
    later.catch(() => {});
    await until('both wait', async () => (await client.getLane({ lane: 'docs' })).waiting.length === 2);
    expect((await client.getLane({ lane: 'docs' })).waiting.map(({ owner }) => owner)).toEqual([
      'bob',
      'zoe',
    ]);
    await client.releaseLane({ lane: 'docs', owner: 'ada' });
    expect(await soon('the grant', repeated)).toMatchObject({ lane: { owner: 'bob', fence: 2 } });
  });
});

async function readAll(client: Client) {
  const messages = [];
  for (let cursor = 0; ; ) {
    const page = await client.readMessages({ since_id: cursor, limit: 500 });
    messages.push(...page.messages);
    if (!page.has_more) return messages;
    cursor = page.cursor;
  }
}

describe('a database without a connection to spare', () => {
  test('is told as a 503 and in the log, stops only what needs one, and is used again by itself', async () => {
    const { ask } = createTestSchemaOn(server.url);
    await ask(`CREATE ROLE clerk LOGIN PASSWORD '${serverPassword}' CONNECTION LIMIT 4`);
    await ask('CREATE SCHEMA bus AUTHORIZATION clerk');
    const bus = await startBusOn(server.url.replace('//postgres:', '//clerk:'));
    const connections = async () =>
      (
        await ask(
          `SELECT application_name AS name FROM pg_stat_activity WHERE usename = 'clerk' ORDER BY name`,
        )
      ).map(({ name }) => name);
    const ownOnes = ['bus-mcp listener', 'bus-mcp reader', 'bus-mcp writer'];
    await until('all are there', async () => (await connections()).length === 3);
    expect(await connections()).toEqual(ownOnes);
    const post = () =>
      fetch(`${bus.url}/api/bus/message`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ topic: 'log', sender: 'ada', body: 'hello' }),
      });
    expect((await post()).status).toBe(200);

    await ask('ALTER ROLE clerk CONNECTION LIMIT 2');
    await ask(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bus-mcp writer'`,
    );
    await until('it is gone', async () => (await connections()).length === 2);
    const refused = await post();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({
      code: 'unavailable',
      detail: expect.stringContaining('the database has too many connections'),
      data: { retry_after_s: 1 },
    });
    expect((await fetch(`${bus.url}/api/bus/messages`)).status).toBe(200);

    await ask('ALTER ROLE clerk CONNECTION LIMIT 3');
    await until('it writes again', async () => (await post()).status === 200);
    expect(await connections()).toEqual(ownOnes);
    await until('it says so', () => bus.said().includes('the database can be used again'));
    const lines = bus
      .said()
      .split('\n')
      .filter((line) => line.startsWith('{"level"'))
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg.startsWith('the database'));
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'the database cannot be used'],
      [30, 'the database can be used again'],
    ]);
    expect(bus.said()).not.toContain(serverPassword);
  });
});
