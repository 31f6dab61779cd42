import { request as httpRequest } from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../suite/ask.ts';
import { ask, createScriptedBus, sendRaw, startServer } from './fixtures.ts';

describe('calls that wait', () => {
  test('get a signal that fires when the client goes away', async () => {
    const bus = createScriptedBus({
      claimLane: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const { port, log } = await startServer({ bus });
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/api/bus/lanes/a/claim',
      headers: { 'content-type': 'application/json' },
    });
    request.on('error', () => {});
    request.end(JSON.stringify({ owner: 'ada', wait_s: 300 }));
    await waitUntil(() => bus.seen.length === 1);
    expect(bus.seen[0]?.call.signal?.aborted).toBe(false);
    request.destroy();
    await waitUntil(() => bus.seen[0]?.call.signal?.aborted === true);
    expect(log.entries).toEqual([]);
  });

  test('hold up what was sent after them on the same connection, and all of it is forgotten when that closes', async () => {
    const bus = createScriptedBus({ readMessages: () => new Promise(() => {}) });
    const { port } = await startServer({ bus });
    const socket = net.connect(port, '127.0.0.1', () => {
      const text = 'GET /api/bus/messages?since_id=0&wait_s=300 HTTP/1.1\r\nhost: localhost\r\n\r\n';
      socket.write(text.repeat(3));
    });
    await waitUntil(() => bus.seen.length === 1);
    await ask(port, 'GET', '/api/bus/status');
    expect(bus.seen.filter(({ name }) => name === 'readMessages')).toHaveLength(1);
    socket.destroy();
    await waitUntil(() => bus.seen[0]?.call.signal?.aborted === true);
    await ask(port, 'GET', '/api/bus/status');
    expect(bus.seen.filter(({ name }) => name === 'readMessages')).toHaveLength(1);
  });

  test('keep a signal that was answered from firing, and give none to calls that do not wait', async () => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus });
    await ask(port, 'GET', '/api/bus/messages?since_id=0&wait_s=5');
    await ask(port, 'GET', '/api/bus/messages?since_id=0');
    await sleep(20);
    expect(bus.seen.map(({ call }) => call.signal?.aborted)).toEqual([false, undefined]);
  });
});

describe('stopping', () => {
  test('finishes what runs, takes nothing new, and ends within its grace', async () => {
    let finishCall: (() => void) | undefined;
    const bus = createScriptedBus({
      getBusStatus: () =>
        new Promise((resolve) => {
          finishCall = () => resolve({ ok: true });
        }),
    });
    const { port, server } = await startServer({ bus });
    const running = ask(port, 'GET', '/api/bus/status');
    await waitUntil(() => finishCall !== undefined);
    const closed = server.close();
    await expect(ask(port, 'GET', '/api/bus/lanes')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    finishCall?.();
    const answer = await running;
    expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
    await closed;
  });

  test('cuts off what does not end by itself', async () => {
    const bus = createScriptedBus({ getBusStatus: () => new Promise(() => {}) });
    const { port, server } = await startServer({ bus });
    const running = ask(port, 'GET', '/api/bus/status');
    running.catch(() => {});
    await waitUntil(() => bus.seen.length === 1);
    await server.close({ graceMs: 20 });
    await expect(running).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('refuses what still comes, and says when to come back', async () => {
    const bus = createScriptedBus();
    const { port, server } = await startServer({ bus });
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write('GET /api/bus/status HTTP/1.1\r\n'));
    socket.on('data', (data) => {
      text += data;
    });
    await ask(port, 'GET', '/healthz');
    const closed = server.close({ graceMs: 60_000 });
    socket.write('host: localhost\r\n\r\n');
    await closed;
    await waitUntil(() => socket.closed);
    expect(text).toMatch(/^HTTP\/1\.1 503/);
    expect(text).toContain('"code":"unavailable"');
    expect(text).toMatch(/retry-after: 1\r\n/);
    expect(text).toMatch(/connection: close\r\n/);
    expect(bus.seen).toEqual([]);
  });

  test('does not wait for connections on which nobody asks anything', async () => {
    const { port, server } = await startServer({ bus: createScriptedBus() });
    const silent = net.connect(port, '127.0.0.1');
    const idle = net.connect(port, '127.0.0.1', () =>
      idle.write('GET /api/bus/status HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    );
    await new Promise((resolve) => idle.once('data', resolve));
    await server.close({ graceMs: 60_000 });
    await waitUntil(() => [silent, idle].every((socket) => socket.closed || socket.resume().readableEnded));
  });

  test('rejects to listen on a port that is taken', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const { server } = await startServer({ bus: createScriptedBus() });
    await server.close();
    await expect(server.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('readers and senders that stall', () => {
  test('a reader who stops taking a large answer is cut off', async () => {
    const messages = Array.from({ length: 500 }, (_, id) => ({ id, body: 'y'.repeat(60_000) }));
    const bus = createScriptedBus({ readMessages: () => ({ messages }) });
    const { port, server } = await startServer({ bus, stalledReaderSecondsMax: 0.1 });
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write('GET /api/bus/messages HTTP/1.1\r\nhost: localhost\r\n\r\n');
      socket.pause();
    });
    socket.on('error', () => {});
    const count = () =>
      new Promise<number>((resolve) =>
        server.server.getConnections((_, connections) => resolve(connections)),
      );
    await waitUntil(() => bus.seen.length === 1);
    expect(await count()).toBe(1);
    while ((await count()) > 0) await sleep(10);
    socket.destroy();
  });

  test('a reader who takes its time gets a large answer whole, and may ask again', async () => {
    const body = 'y'.repeat(3_000_000);
    const { port } = await startServer({
      bus: createScriptedBus({ getBusStatus: () => ({ body }) }),
      stalledReaderSecondsMax: 0.2,
    });
    const socket = net.connect(port, '127.0.0.1');
    let answers = 0;
    socket.on('data', (chunk) => {
      if (String(chunk).endsWith('"}')) answers += 1;
      socket.pause();
      setTimeout(() => socket.resume(), 2);
    });
    for (const asked of [1, 2]) {
      socket.write('GET /api/bus/status HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await waitUntil(() => answers === asked);
      // Longer than the limit: what is idle is not stalled.
      await sleep(300);
    }
    socket.destroy();
  });

  test('a sender who is too slow with headers or body is told so', async () => {
    const { port, server } = await startServer({ bus: createScriptedBus() });
    server.server.headersTimeout = 50;
    server.server.requestTimeout = 100;
    const head = 'POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    const texts = await Promise.all([
      sendRaw(port, head),
      sendRaw(port, `${head}content-length: 40\r\n\r\n{`),
    ]);
    for (const text of texts) {
      expect(text).toContain('HTTP/1.1 408');
      expect(text).toContain('"code":"invalid_input"');
    }
  });
});
