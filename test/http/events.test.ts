import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../../src/contract/contract.ts';
import { toBusError } from '../../src/contract/errors.ts';
import { createClient } from '../../src/http/client.ts';
import { waitUntil } from '../suite/ask.ts';
import { ask, createScriptedBus, startServer } from './fixtures.ts';

/** A bus that has a change feed and nothing else; `canWait: false` is a bus that answers every wait at once. */
function createFeedBus({ canWait = true, body = 'x' } = {}) {
  const ids: number[] = [];
  const ringers = new Set<() => void>();
  const toEvent = (id: number) => ({ id, kind: 'message_posted', ts: 'now', message: { id, body } });
  const bus = createScriptedBus({
    getBusStatus: () => ({ _meta: { last_event_id: ids.at(-1) ?? 0 } }),
    readEvents: async (input, { signal }) => {
      const { since, limit, wait_s } = input as { since: number; limit: number; wait_s: number };
      const after = () => ids.filter((id) => id > since).slice(0, limit);
      if (after().length === 0 && wait_s > 0 && canWait) await waitForNews(wait_s, signal);
      const page = after();
      return { events: page.map(toEvent), cursor: page.at(-1) ?? since, has_more: false };
    },
  });
  function waitForNews(seconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, seconds * 1000);
      const finish = (end: () => void) => () => {
        clearTimeout(timer);
        ringers.delete(ring);
        end();
      };
      const ring = finish(resolve);
      ringers.add(ring);
      signal?.addEventListener(
        'abort',
        finish(() => reject(signal.reason)),
      );
    });
  }
  function add(...more: number[]): void {
    ids.push(...more);
    for (const ring of [...ringers]) ring();
  }
  return { bus, add, ringers };
}

/** Reads a stream until told to stop, over a socket of its own. */
function readStream(port: number, path: string, headers: Record<string, string> = {}) {
  const stream = { text: '', isClosed: false, socket: net.connect(port, '127.0.0.1') };
  const lines = Object.entries({ host: 'localhost', accept: 'text/event-stream', ...headers });
  stream.socket.write(
    `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  stream.socket.on('data', (chunk) => {
    stream.text += chunk;
  });
  stream.socket.on('error', () => {});
  stream.socket.on('close', () => {
    stream.isClosed = true;
  });
  onTestFinished(() => void stream.socket.destroy());
  const ids = () => [...stream.text.matchAll(/^id: (\d+)\nevent:/gm)].map(([, id]) => Number(id));
  return Object.assign(stream, { ids });
}

async function startFeed(feed: { bus: Bus }, options = {}) {
  return startServer({ bus: feed.bus, keepAliveSeconds: 30, ...options });
}

describe('the stream of events', () => {
  test('says at once where it begins and when to come back, and is never kept by a cache', async () => {
    const feed = createFeedBus();
    feed.add(1, 2, 3);
    const { port } = await startFeed(feed);
    const stream = readStream(port, '/api/bus/events');
    await waitUntil(() => stream.text.includes('id: 3\n\n'));
    expect(stream.text).toMatch(/^HTTP\/1\.1 200/);
    expect(stream.text).toMatch(/content-type: text\/event-stream/);
    expect(stream.text).toMatch(/cache-control: no-store/);
    expect(stream.text).toContain('retry: 1000\nid: 3\n\n');
    expect(stream.ids()).toEqual([]);
  });

  test('without a start brings only news, each event in one piece', async () => {
    const feed = createFeedBus();
    feed.add(1, 2);
    const { port } = await startFeed(feed);
    const stream = readStream(port, '/api/bus/events');
    await waitUntil(() => feed.ringers.size === 1);
    feed.add(3);
    await waitUntil(() => stream.ids().length === 1);
    expect(stream.text).toContain(
      'id: 3\nevent: message_posted\ndata: {"id":3,"kind":"message_posted","ts":"now","message":{"id":3,"body":"x"}}\n\n',
    );
  });

  test('goes on after since, and after Last-Event-ID rather than since', async () => {
    const feed = createFeedBus();
    feed.add(1, 2, 3, 4);
    const { port } = await startFeed(feed);
    const after = readStream(port, '/api/bus/events?since=1&limit=2');
    const resumed = readStream(port, '/api/bus/events?since=1', { 'last-event-id': '3' });
    const whole = readStream(port, '/api/bus/events?since=0');
    await waitUntil(() => after.ids().length === 3 && resumed.ids().length === 1 && whole.ids().length === 4);
    feed.add(5);
    await waitUntil(() => [after, resumed, whole].every((stream) => stream.ids().at(-1) === 5));
    expect([after.ids(), resumed.ids(), whole.ids()]).toEqual([
      [2, 3, 4, 5],
      [4, 5],
      [1, 2, 3, 4, 5],
    ]);
  });

  test('loses nothing over a restart of the server', async () => {
    const feed = createFeedBus();
    const first = await startFeed(feed);
    const before = readStream(first.port, '/api/bus/events?since=0');
    feed.add(1, 2);
    await waitUntil(() => before.ids().length === 2);
    await first.server.close();
    await waitUntil(() => before.isClosed);
    feed.add(3);
    const second = await startFeed(feed);
    const after = readStream(second.port, '/api/bus/events', {
      'last-event-id': String(before.ids().at(-1)),
    });
    await waitUntil(() => after.ids().length === 1);
    expect([...before.ids(), ...after.ids()]).toEqual([1, 2, 3]);
  });

  test.each([true, false])('says while idle that it is still there (bus can wait: %s)', async (canWait) => {
    const feed = createFeedBus({ canWait });
    const { port } = await startFeed(feed, { keepAliveSeconds: 0.02 });
    const stream = readStream(port, '/api/bus/events');
    await waitUntil(() => stream.text.split(': keep-alive\n\n').length > 3);
    feed.add(1);
    await waitUntil(() => stream.ids().length === 1);
  });

  test('does not ask a bus that cannot wait again and again', async () => {
    const feed = createFeedBus({ canWait: false });
    const { port } = await startFeed(feed, { keepAliveSeconds: 0.05 });
    const stream = readStream(port, '/api/bus/events');
    await waitUntil(() => stream.text.split(': keep-alive\n\n').length > 3);
    expect(feed.bus.seen.length).toBeLessThan(10);
  });

  test('works as well when the bus is somewhere else', async () => {
    const feed = createFeedBus();
    const back = await startFeed(feed);
    const client = createClient({ baseUrl: back.baseUrl });
    onTestFinished(() => client.close());
    const front = await startFeed({ bus: client });
    const stream = readStream(front.port, '/api/bus/events');
    await waitUntil(() => feed.ringers.size === 1);
    feed.add(1);
    await waitUntil(() => stream.ids().length === 1);
    stream.socket.destroy();
    await waitUntil(() => feed.ringers.size === 0);
  });

  test('is forgotten at once when its reader goes away', async () => {
    const feed = createFeedBus();
    const { port, log } = await startFeed(feed);
    const stream = readStream(port, '/api/bus/events');
    await waitUntil(() => feed.ringers.size === 1);
    stream.socket.destroy();
    await waitUntil(() => feed.ringers.size === 0);
    expect(log.entries).toEqual([]);
  });

  test('is too many when as many as the bus takes are open, and may be opened once one has ended', async () => {
    const feed = createFeedBus();
    const { port } = await startFeed(feed, { eventStreamsMax: 2 });
    const streams = [readStream(port, '/api/bus/events'), readStream(port, '/api/bus/events')];
    await waitUntil(() => feed.ringers.size === 2);
    const accept = { accept: 'text/event-stream' };
    const refused = await ask(port, 'GET', '/api/bus/events', { headers: accept });
    expect([refused.status, refused.json.code, refused.headers['retry-after']]).toEqual([
      429,
      'too_many',
      '5',
    ]);
    expect(refused.json.data).toEqual({ limit: 2, retry_after_s: 5 });
    expect((await ask(port, 'GET', '/api/bus/events?since=0')).status).toBe(200);
    streams[0]?.socket.destroy();
    await waitUntil(() => feed.ringers.size === 1);
    readStream(port, '/api/bus/events');
    await waitUntil(() => feed.ringers.size === 2);
  });

  test('reads pages of long messages a few rows at a time, and those of short ones in ever larger pieces', async () => {
    const rowsOf = async (body: string) => {
      const feed = createFeedBus({ body });
      feed.add(...Array.from({ length: 60 }, (_, index) => index + 1));
      const { port } = await startFeed(feed);
      const stream = readStream(port, '/api/bus/events?since=0&limit=20');
      await waitUntil(() => stream.text.includes('\nid: 60\n'));
      expect(stream.ids()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
      const asked = feed.bus.seen.filter(({ name }) => name === 'readEvents');
      return asked.map(({ input }) => input.limit as number);
    };
    expect((await rowsOf('short')).slice(0, 3)).toEqual([8, 16, 20]);
    expect((await rowsOf('y'.repeat(60_000))).slice(0, 4)).toEqual([8, 4, 2, 1]);
  });

  test('cuts off a reader who takes nothing, having read no more than a few pages for it', async () => {
    const feed = createFeedBus({ body: 'y'.repeat(60_000) });
    feed.add(...Array.from({ length: 2_000 }, (_, index) => index + 1));
    const { port, log } = await startFeed(feed, { stalledReaderSecondsMax: 0.1 });
    const stream = readStream(port, '/api/bus/events?since=0&limit=10');
    stream.socket.pause();
    await waitUntil(() => log.entries.length === 1);
    expect(log.entries[0]?.message).toContain('its reader takes nothing');
    stream.socket.resume();
    await waitUntil(() => stream.isClosed);
    expect(feed.bus.seen.length).toBeLessThan(100);
  });

  test('serves a slow reader who does take what is sent to the end', async () => {
    const feed = createFeedBus({ body: 'y'.repeat(60_000) });
    feed.add(...Array.from({ length: 200 }, (_, index) => index + 1));
    const { port } = await startFeed(feed, { stalledReaderSecondsMax: 2 });
    const stream = readStream(port, '/api/bus/events?since=0');
    const slow = setInterval(() => {
      stream.socket.pause();
      setTimeout(() => stream.socket.resume(), 5);
    }, 10);
    await waitUntil(() => stream.text.includes('\nid: 200\n'));
    clearInterval(slow);
    expect(stream.ids()).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  test('is ended when the server stops', async () => {
    const feed = createFeedBus();
    const { port, server } = await startFeed(feed);
    const stream = readStream(port, '/api/bus/events');
    await waitUntil(() => feed.ringers.size === 1);
    await server.close({ graceMs: 60_000 });
    await waitUntil(() => stream.isClosed);
    expect(stream.text.endsWith('0\r\n\r\n')).toBe(true);
  });

  test('ends when the bus fails, and the log says why', async () => {
    const feed = createFeedBus();
    let fails = false;
    const bus: Bus = {
      ...feed.bus,
      readEvents: (input, call) =>
        fails ? Promise.reject(new Error('gone')) : feed.bus.readEvents(input, call),
    };
    const { port, log } = await startFeed({ bus });
    const stream = readStream(port, '/api/bus/events');
    await waitUntil(() => feed.ringers.size === 1);
    fails = true;
    feed.add(1);
    await waitUntil(() => stream.text.endsWith('0\r\n\r\n'));
    expect(stream.ids()).toEqual([1]);
    expect(log.entries).toMatchObject([{ level: 'warn', data: { err: { message: 'gone' } } }]);
  });
});

describe('a stream that cannot begin', () => {
  const headers = { accept: 'text/event-stream' };

  test.each([
    ['/api/bus/events?since=x', {}, 'since must be a number'],
    ['/api/bus/events?topic=a', {}, 'topic is not known here'],
    ['/api/bus/events?wait_s=3', {}, 'wait_s is not known here'],
    ['/api/bus/events', { 'last-event-id': 'x' }, 'last-event-id must be the id of an event'],
  ])('is refused in the shape of every refusal: %s %j', async (path, more, sentence) => {
    const { port } = await startFeed(createFeedBus());
    const answer = await ask(port, 'GET', path, { headers: { ...headers, ...more } });
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_input']);
    expect(answer.json.detail).toContain(sentence);
  });

  test('is refused with what the bus says', async () => {
    const bus = createScriptedBus({
      readEvents: () => {
        throw toBusError('unavailable', 'the disk is away', { retry_after_s: 2 });
      },
    });
    const { port } = await startFeed({ bus });
    const answer = await ask(port, 'GET', '/api/bus/events?since=0', { headers });
    expect([answer.status, answer.json.code, answer.headers['retry-after']]).toEqual([
      503,
      'unavailable',
      '2',
    ]);
  });

  test('is a page when no stream was asked for', async () => {
    const feed = createFeedBus();
    feed.add(1, 2);
    const { port } = await startFeed(feed);
    const answer = await ask(port, 'GET', '/api/bus/events?since=1');
    expect(answer.json).toMatchObject({ events: [{ id: 2 }], cursor: 2 });
  });
});
