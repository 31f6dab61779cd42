import net, { type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { waitUntil } from '../suite/ask.ts';
import { ask, createScriptedBus, post, sendRaw, startServer } from './fixtures.ts';

const waiting = 'GET /api/bus/messages?since_id=0&wait_s=300 HTTP/1.1\r\nhost: localhost\r\n\r\n';
const status = 'GET /api/bus/status HTTP/1.1\r\nhost: localhost\r\n\r\n';

/** A connection that sends these bytes, and what came back on it so far. */
function connect(port: number, bytes: string | Buffer = '') {
  const line = { text: '', isClosed: false, socket: net.connect(port, '127.0.0.1') };
  line.socket.write(bytes);
  line.socket.on('data', (chunk) => {
    line.text += chunk.toString('latin1');
  });
  line.socket.on('error', () => {});
  line.socket.on('close', () => {
    line.isClosed = true;
  });
  onTestFinished(() => void line.socket.destroy());
  return line;
}

function toPost(bytes: number, sent = bytes): string {
  const body = JSON.stringify({ topic: 't', sender: 's', body: 'x'.repeat(bytes - 36) });
  expect(body).toHaveLength(bytes);
  const head = 'POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  return `${head}content-length: ${bytes}\r\n\r\n${body.slice(0, sent)}`;
}

function expectUnavailable(text: string): void {
  expect(text).toMatch(/^HTTP\/1\.1 503 /);
  expect(text).toMatch(/\r\nretry-after: 1\r\n/);
  expect(text).toMatch(/\r\nconnection: close\r\n/);
  expect(text).toContain('"code":"unavailable"');
  expect(text).toContain('"retry_after_s":1');
}

describe('connections', () => {
  test('beyond as many as the bus takes are answered unavailable and closed', async () => {
    const bus = createScriptedBus({ readMessages: () => new Promise(() => {}) });
    const { port } = await startServer({ bus, connectionsMax: 3 });
    const lines = [1, 2, 3].map(() => connect(port, waiting));
    await waitUntil(() => bus.seen.length === 3);
    expectUnavailable(await sendRaw(port, status, { end: true }));
    expect(bus.seen).toHaveLength(3);
    lines[0]?.socket.destroy();
    await waitUntil(() => bus.seen[0]?.call.signal?.aborted === true);
    expect((await ask(port, 'GET', '/api/bus/status')).status).toBe(200);
  });

  test('that are only kept for later give way to a new one', async () => {
    const bus = createScriptedBus({ readMessages: () => new Promise(() => {}) });
    const { port } = await startServer({ bus, connectionsMax: 3 });
    const idle = [connect(port, status), connect(port, status)];
    const busy = connect(port, waiting);
    await waitUntil(() => bus.seen.length === 3 && idle.every(({ text }) => text.endsWith('}')));
    expect((await ask(port, 'GET', '/api/bus/status')).status).toBe(200);
    await waitUntil(() => idle.every(({ isClosed }) => isClosed));
    expect(busy.isClosed).toBe(false);
  });
});

describe('requests on one connection', () => {
  test('are served one after the other, in their order', async () => {
    const answers: (() => void)[] = [];
    const bus = createScriptedBus({
      postMessage: ({ body }) => new Promise((resolve) => answers.push(() => resolve({ body }))),
    });
    const { port } = await startServer({ bus });
    const toRequest = (body: string) => {
      const text = JSON.stringify({ topic: 't', sender: 's', body });
      const head = 'POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
      return `${head}content-length: ${text.length}\r\n\r\n${text}`;
    };
    const bodies = Array.from({ length: 20 }, (_, index) => `number ${index}`);
    const line = connect(port, bodies.map(toRequest).join(''));
    for (const [index] of bodies.entries()) {
      await waitUntil(() => answers.length === index + 1);
      answers[index]?.();
    }
    await waitUntil(() => line.text.includes('"number 19"'));
    expect([...line.text.matchAll(/"(number \d+)"/g)].map(([, body]) => body)).toEqual(bodies);
  });

  test('are too many when many stand behind one that waits, and soon they are not even read', async () => {
    const bus = createScriptedBus({ readMessages: () => new Promise(() => {}) });
    const { port, server } = await startServer({ bus });
    let served: Socket | undefined;
    server.server.on('connection', (socket) => {
      served ??= socket;
    });
    const line = connect(port, waiting);
    await waitUntil(() => bus.seen.length === 1);
    const requests = status.repeat(200_000);
    line.socket.write(requests);
    let read = -1;
    while (read !== served?.bytesRead) {
      read = served?.bytesRead ?? 0;
      await sleep(50);
    }
    expect(read).toBeLessThan(requests.length / 10);
    expect(bus.seen).toHaveLength(1);
  });

  test('that were too many are refused in their place, and the others are served', async () => {
    let answer = () => {};
    const bus = createScriptedBus({
      readMessages: () =>
        new Promise((resolve) => {
          answer = () => resolve({ ok: true });
        }),
    });
    const { port } = await startServer({ bus, requestsInLineMax: 2 });
    const line = connect(port, waiting + status.repeat(4));
    await waitUntil(() => bus.seen.length === 1);
    await ask(port, 'GET', '/healthz');
    answer();
    await waitUntil(() => line.text.match(/HTTP\/1\.1/g)?.length === 5);
    expect([...line.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)).toEqual([
      '200',
      '200',
      '200',
      '429',
      '429',
    ]);
    expect(line.text).toContain('"code":"too_many"');
  });
});

describe('bodies', () => {
  test('that do not come to an end give way to one for which there is no room', async () => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus, requestBytesHeldMax: 100_000 });
    const slow = [connect(port, toPost(40_000, 100)), connect(port, toPost(40_000, 100))];
    await ask(port, 'GET', '/api/bus/status');
    const quick = connect(port, toPost(40_000));
    await waitUntil(() => quick.text.includes('200 OK'));
    await waitUntil(() => slow[0]?.isClosed === true);
    expectUnavailable(slow[0]?.text ?? '');
    expect(slow[1]?.text).toBe('');
    slow[1]?.socket.write(toPost(40_000).slice(-39_900));
    await waitUntil(() => slow[1]?.text.includes('200 OK') === true);
  });

  test('that came to their end too late are not worked on', async () => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus, requestBytesHeldMax: 50_000 });
    const slow = connect(port, toPost(40_000, 39_999));
    await ask(port, 'GET', '/api/bus/status');
    const quick = connect(port, toPost(40_000));
    await waitUntil(() => slow.text !== '' && quick.text !== '');
    slow.socket.write('}');
    await waitUntil(() => slow.isClosed);
    expect(bus.seen.filter(({ name }) => name === 'postMessage')).toHaveLength(1);
  });

  test('are unavailable when all there is room for is worked on, but for small ones', async () => {
    let answer = () => {};
    const bus = createScriptedBus({
      postMessage: ({ body }) =>
        (body as string).length < 100
          ? { ok: true }
          : new Promise((resolve) => {
              answer = () => resolve({ ok: true });
            }),
    });
    const { port } = await startServer({ bus, requestBytesHeldMax: 50_000 });
    const first = connect(port, toPost(40_000));
    await waitUntil(() => bus.seen.length === 1);
    const message = { topic: 't', sender: 's', body: 'x'.repeat(20_000) };
    const refused = await post(port, '/api/bus/message', message);
    expect([refused.status, refused.json.code, refused.headers['retry-after']]).toEqual([
      503,
      'unavailable',
      '1',
    ]);
    expect((await post(port, '/api/bus/message', { ...message, body: 'small' })).status).toBe(200);
    answer();
    await waitUntil(() => first.text.includes('200 OK'));
    const again = post(port, '/api/bus/message', message);
    await waitUntil(() => bus.seen.length === 3);
    answer();
    expect((await again).status).toBe(200);
  });

  test('of unknown length count as the largest that may come', async () => {
    const { port } = await startServer({
      bus: createScriptedBus(),
      requestBytesHeldMax: limits.requestBytesMax + 10_000,
    });
    const chunked =
      'POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
    const slow = connect(port, chunked);
    await ask(port, 'GET', '/api/bus/status');
    const quick = connect(port, toPost(40_000));
    await waitUntil(() => quick.text.includes('200 OK'));
    await waitUntil(() => slow.isClosed);
    expectUnavailable(slow.text);
  });
});

test('of readers who take nothing of their answers, those who hold most are cut off first', async () => {
  const bus = createScriptedBus({
    readMessages: ({ limit }) => ({ messages: 'y'.repeat(Number(limit) * 1_000_000) }),
  });
  const { port, log } = await startServer({ bus, answerBytesHeldMax: 24_000_000 });
  const read = (limit: number) => {
    const line = connect(port, `GET /api/bus/messages?limit=${limit} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    line.socket.pause();
    return line;
  };
  const small = read(10);
  await waitUntil(() => bus.seen.length === 1);
  await sleep(600);
  expect(log.entries).toEqual([]);
  const large = read(30);
  await waitUntil(() => log.entries.length > 0);
  large.socket.resume();
  await waitUntil(() => large.isClosed);
  expect(large.text.length).toBeLessThan(30_000_000);
  small.socket.resume();
  await waitUntil(() => small.text.length > 10_000_000);
  expect(log.entries).toMatchObject([{ level: 'warn' }]);
});

test('while readers hold all that there may be, a read is unavailable before the bus is asked, and a write is not', async () => {
  const bus = createScriptedBus({ readMessages: () => ({ messages: 'y'.repeat(5_000_000) }) });
  const { port } = await startServer({ bus, answerBytesHeldMax: 20_000_000 });
  let refused = await ask(port, 'GET', '/healthz');
  // Between two asks those who hold most may have been cut off.
  while (refused.status === 200) {
    connect(port, 'GET /api/bus/messages HTTP/1.1\r\nhost: localhost\r\n\r\n').socket.pause();
    refused = await ask(port, 'GET', '/api/bus/status');
  }
  expect([refused.status, refused.json.code, refused.headers['retry-after']]).toEqual([
    503,
    'unavailable',
    '1',
  ]);
  const asked = bus.seen.length;
  expect((await post(port, '/api/bus/message', { topic: 't', sender: 's', body: 'b' })).status).toBe(200);
  expect((await ask(port, 'GET', '/healthz')).status).toBe(200);
  expect(bus.seen.slice(asked).map(({ name }) => name)).toEqual(['postMessage']);
  await sleep(600);
  expect((await ask(port, 'GET', '/api/bus/status')).status).toBe(200);
});

test('streams that are at the same place are told what happened in one text, made once', async () => {
  let written = 0;
  const message = {
    toJSON: () => {
      written += 1;
      return { body: 'long' };
    },
  };
  const page = {
    events: [{ id: 1, kind: 'message_posted', ts: 'now', message }],
    cursor: 1,
    has_more: false,
  };
  const bus = createScriptedBus({
    readEvents: ({ since }) => (since === 0 ? page : new Promise(() => {})),
  });
  const { port } = await startServer({ bus });
  const stream =
    'GET /api/bus/events?since=0 HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n';
  const lines = [1, 2, 3].map(() => connect(port, stream));
  await waitUntil(() => lines.every(({ text }) => text.includes('data: {"id":1')));
  expect(written).toBe(1);
});
