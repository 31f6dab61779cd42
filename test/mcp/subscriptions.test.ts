import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OpenedEngine, openEngine } from '../../src/app/compose.ts';
import type { Bus } from '../../src/contract/contract.ts';
import { BusError } from '../../src/contract/errors.ts';
import { limits } from '../../src/contract/limits.ts';
import { tellNews } from '../../src/mcp/feed.ts';
import { createWatcher } from '../../src/mcp/watcher.ts';
import { writerFile } from '../build.ts';
import { startMcpHttp } from './http-server.ts';
import { createScriptedBus, waitForAbort } from './scripted-bus.ts';
import { clientKinds, openHttpSession, openStdioSession, type Session } from './sessions.ts';

let folder: string;
let engine: OpenedEngine;
const sessions: Session[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bus-mcp-subscriptions-'));
  engine = await openEngine({ store: join(folder, 'bus.db'), writerFile });
});

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const overStdio = clientKinds.map((kind) => ({
  way: `${kind} over stdio`,
  open: (bus: Bus) => openStdioSession(kind, { bus }),
}));
const modern = 'SDK v2 in the era of 2026' as const;
const ways = [
  ...overStdio,
  {
    way: `${modern} over HTTP`,
    open: async (bus: Bus) => openHttpSession(modern, (await startMcpHttp(bus)).url),
  },
];

async function connect(open: (bus: Bus) => Promise<Session>, bus: Bus = engine.bus) {
  const session = await open(bus);
  sessions.push(session);
  const updated = () =>
    session.notified
      .filter(({ method }) => method === 'notifications/resources/updated')
      .map(({ params }) => (params as { uri: string }).uri);
  return { ...session, updated };
}

describe.each(ways)('$way', ({ open }) => {
  it('hears of a lane, a topic and the status, and of nothing else', async () => {
    const { bus } = engine;
    const client = await connect(open);
    expect(client.capabilities).toMatchObject({ resources: { subscribe: true } });
    const uris = ['bus://lanes/docs', 'bus://topics/build', 'bus://status'];
    for (const uri of uris) await client.subscribe(uri);
    await bus.claimLane({ lane: 'docs', owner: 'ada' });
    await vi.waitFor(() => expect(client.updated()).toEqual(expect.arrayContaining([uris[0], uris[2]])));
    expect(client.updated()).not.toContain(uris[1]);
    const before = client.updated().length;
    await bus.postMessage({ topic: 'build', sender: 'ada', body: 'b' });
    await vi.waitFor(() => expect(client.updated().slice(before).sort()).toEqual([uris[2], uris[1]]));
    const then = client.updated().length;
    await bus.claimLane({ lane: 'tests', owner: 'ada' });
    await vi.waitFor(() => expect(client.updated().slice(then)).toEqual([uris[2]]));
  });

  it('hears under the spelling that it asked for', async () => {
    const client = await connect(open);
    await client.subscribe('bus://topics/a%2fb');
    await engine.bus.postMessage({ topic: 'a/b', sender: 'ada', body: 'b' });
    await vi.waitFor(() => expect(client.updated()).toEqual(['bus://topics/a%2fb']));
  });

  it('misses nothing that happens after the answer to its request', async () => {
    for (let round = 0; round < 10; round += 1) {
      const client = await connect(open);
      await client.subscribe(`bus://lanes/l${round}`);
      await engine.bus.claimLane({ lane: `l${round}`, owner: 'ada' });
      await vi.waitFor(() => expect(client.updated()).toEqual([`bus://lanes/l${round}`]));
    }
  });

  it('hears no more of what it has done with, and goes on hearing of the rest', async () => {
    const client = await connect(open);
    const stop = await client.subscribe('bus://lanes/docs');
    await client.subscribe('bus://lanes/tests');
    await stop();
    await engine.bus.claimLane({ lane: 'docs', owner: 'ada' });
    await engine.bus.claimLane({ lane: 'tests', owner: 'ada' });
    await vi.waitFor(() => expect(client.updated()).toEqual(['bus://lanes/tests']));
  });

  it('is refused what can never change', async () => {
    const client = await connect(open);
    await expect(client.subscribe('bus://lane/docs')).rejects.toThrow('Resource not found');
    await client.subscribe('bus://lanes/docs');
  });

  it('is refused more than one may ask for', async () => {
    const { bus } = createScriptedBus({
      getBusStatus: () => ({ _meta: { last_event_id: 7 } }),
      readEvents: (input: { wait_s?: number }, call) =>
        input.wait_s ? waitForAbort(input, call) : { events: [], cursor: 7, has_more: false },
    });
    const client = await connect(open, bus);
    const isListening = client.protocolVersion === '2026-07-28';
    const uris = Array.from(
      { length: limits.mcpUrisPerSubscriberMax + 1 },
      (_, place) => `bus://lanes/l${place}`,
    );
    if (isListening) return expect(client.listen(uris)).rejects.toThrow('at most 256 resources');
    for (const uri of uris.slice(1)) await client.subscribe(uri);
    await expect(client.subscribe(uris[0] ?? '')).rejects.toThrow('at most 256 resources');
  });

  it('is told when the bus has no change feed, and can still call', async () => {
    const notThere = new BusError({ status: 404, detail: 'there is no route /events' });
    const { bus } = createScriptedBus({ readEvents: () => Promise.reject(notThere) });
    const client = await connect(open, bus);
    await expect(client.subscribe('bus://status')).rejects.toThrow('there is no route /events');
    expect((await client.call('get_bus_status')).structuredContent).toMatchObject({ ok: true });
  });

  it('has the feed read only as long as it listens, by waiting and not by asking again and again', async () => {
    const { bus, calls } = createScriptedBus({
      getBusStatus: () => ({ _meta: { last_event_id: 7 } }),
      readEvents: (input: { wait_s?: number }, call) =>
        input.wait_s ? waitForAbort(input, call) : { events: [], cursor: 7, has_more: false },
    });
    const client = await connect(open, bus);
    const reads = () => calls.filter(({ name }) => name === 'readEvents');
    expect(calls).toEqual([]);
    const stop = await client.subscribe('bus://status');
    await vi.waitFor(() => expect(reads()).toHaveLength(2));
    const stopOther = await client.subscribe('bus://lanes/docs');
    expect(reads()).toHaveLength(2);
    expect(reads()[1]).toMatchObject({ input: { since: 7, wait_s: expect.any(Number) } });
    await stop();
    expect(reads()[1]?.call?.signal?.aborted).toBe(false);
    await stopOther();
    await vi.waitFor(() => expect(reads()[1]?.call?.signal?.aborted).toBe(true));
  });
});

it('over HTTP, clients of the era of 2025 are promised no subscriptions, for they have no session', async () => {
  const { url } = await startMcpHttp(engine.bus);
  const client = await openHttpSession('SDK v1', url);
  sessions.push(client);
  expect(client.capabilities.resources).toEqual({});
  await expect(client.subscribe('bus://status')).rejects.toThrow();
});

it('two listeners over HTTP hear of their own resources each, over one reading of the feed', async () => {
  const { url } = await startMcpHttp(engine.bus);
  const [ada, eve] = await Promise.all([
    connect(() => openHttpSession(modern, url)),
    connect(() => openHttpSession(modern, url)),
  ]);
  await ada.subscribe('bus://lanes/docs');
  await eve.subscribe('bus://lanes/tests');
  await engine.bus.claimLane({ lane: 'docs', owner: 'ada' });
  await engine.bus.claimLane({ lane: 'tests', owner: 'ada' });
  await vi.waitFor(() => expect(eve.updated()).toEqual(['bus://lanes/tests']));
  await vi.waitFor(() => expect(ada.updated()).toEqual(['bus://lanes/docs']));
});

it('a listener is told when the bus stops, and does not hold that up', async () => {
  const { url, close } = await startMcpHttp(engine.bus);
  const client = await connect(() => openHttpSession(modern, url));
  const ended = client.subscribe('bus://status');
  await ended;
  const startedAt = performance.now();
  await close();
  expect(performance.now() - startedAt).toBeLessThan(450);
});

describe('the feed', () => {
  it('goes on where it was when the bus was away', async () => {
    let failures = 0;
    const event = { id: 8, kind: 'lane_claimed', ts: '', lane: 'docs' };
    const { bus, calls } = createScriptedBus({
      getBusStatus: () => ({ _meta: { last_event_id: failures === 0 ? 7 : 8 } }),
      readEvents: (input: { since: number; wait_s?: number }, call) => {
        if (!input.wait_s) return { events: [], cursor: 7, has_more: false };
        if (failures === 0) {
          failures += 1;
          throw new Error('the bus restarts');
        }
        if (input.since > 7) return waitForAbort(input, call);
        return { events: [event], cursor: 8, has_more: false };
      },
    });
    const log = vi.fn();
    const told: unknown[] = [];
    const end = new AbortController();
    await tellNews({ bus, onEvents: (events) => void told.push(...events), log, signal: end.signal });
    await vi.waitFor(() => expect(told).toEqual([event]), { timeout: 5_000 });
    expect(log).toHaveBeenCalledTimes(1);
    const reads = calls.filter(({ name }) => name === 'readEvents').slice(0, 3);
    expect(reads.map(({ input }) => input.since)).toEqual([7, 7, 7]);
    end.abort();
  });

  it('starts over when the bus came back with another database', async () => {
    let wasAway = false;
    const { bus, calls } = createScriptedBus({
      getBusStatus: () => ({ _meta: { last_event_id: 700 } }),
      readEvents: (input: { since: number; wait_s?: number }, call) => {
        if (wasAway && input.since > 2) return { events: [], cursor: 0, has_more: true };
        if (!input.wait_s) return { events: [], cursor: 700, has_more: false };
        if (wasAway) return waitForAbort(input, call);
        wasAway = true;
        throw new Error('away');
      },
    });
    const end = new AbortController();
    await tellNews({ bus, onEvents() {}, log() {}, signal: end.signal });
    await vi.waitFor(
      () => expect(calls.findLast(({ name }) => name === 'readEvents')?.input).toMatchObject({ since: 0 }),
      { timeout: 5_000 },
    );
    end.abort();
  });

  it('tells what came together together, and each URI once', async () => {
    const events = ['a', 'b', 'a'].map((lane, index) => ({
      id: index + 1,
      kind: 'lane_claimed',
      ts: '',
      lane,
    }));
    let isTold = false;
    const { bus } = createScriptedBus({
      getBusStatus: () => ({ _meta: { last_event_id: 0 } }),
      readEvents: (input: { wait_s?: number }, call) => {
        if (!input.wait_s) return { events: [], cursor: 0, has_more: false };
        if (isTold) return waitForAbort(input, call);
        isTold = true;
        return { events, cursor: 3, has_more: false };
      },
    });
    const told: string[] = [];
    const watcher = createWatcher({ bus, onUpdated: (uri) => told.push(uri), log() {} });
    await watcher.set('one', ['bus://lanes/a', 'bus://status']);
    await watcher.set('another', ['bus://lanes/a', 'bus://lanes/c']);
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(0));
    expect(told.sort()).toEqual(['bus://lanes/a', 'bus://status']);
    watcher.close();
  });
});
