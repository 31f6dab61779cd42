import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { toBusError } from '../../src/contract/errors.ts';
import { idempotencyKeyPattern } from '../../src/contract/limits.ts';
import { waitUntil } from '../suite/ask.ts';
import { openClient, refusalOf, unreachableOf } from './clients.ts';
import { createScriptedBus, startServer, startStranger } from './fixtures.ts';

const message = { topic: 't', sender: 's', body: 'b' };

describe('safe repeats', () => {
  test('every write carries a key of its own, and keys sort by time', async () => {
    const { baseUrl, asked } = await startStranger((_, response) => response.end('{}'));
    const client = openClient({ baseUrl });
    for (let count = 0; count < 40; count += 1) await client.postMessage(message);
    const keys = asked.map(({ headers }) => String(headers['idempotency-key']));
    expect(new Set(keys).size).toBe(40);
    expect([...keys].sort()).toEqual(keys);
    for (const key of keys) expect(key).toMatch(idempotencyKeyPattern);
  });

  test('a key that was given is used; reads carry none', async () => {
    const { baseUrl, asked } = await startStranger((_, response) => response.end('{}'));
    const client = openClient({ baseUrl });
    await client.postMessage(message, { idempotencyKey: 'mine' });
    await client.getBusStatus({}, { idempotencyKey: 'mine' });
    expect(asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['mine', undefined]);
    const refusal = await refusalOf(client.postMessage(message, { idempotencyKey: 'a b\n' }));
    expect(refusal.code).toBe('invalid_input');
  });

  test('a read is repeated when the connection broke', async () => {
    const { baseUrl, asked } = await startStranger((request, response, _, count) => {
      if (count <= 2) request.socket.destroy();
      else response.end('{"id":1}');
    });
    expect(await openClient({ baseUrl }).getBusStatus({})).toEqual({ id: 1 });
    expect(asked).toHaveLength(3);
  });

  test('a post is repeated with the same key at a bus that is known to keep it once', async () => {
    const { baseUrl, asked } = await startStranger((request, response, _, count) => {
      if (count === 2 || count === 3) request.socket.destroy();
      else response.setHeader('x-bus-repeats', 'safe').end('{"id":1}');
    });
    const client = openClient({ baseUrl });
    await client.getBusStatus({});
    expect(await client.postMessage(message)).toEqual({ id: 1 });
    const posts = asked.slice(1);
    expect(posts.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
    expect(new Set(posts.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(new Set(posts.map(({ body }) => body)).size).toBe(1);
  });

  test('an answer that broke off in the middle is asked for again', async () => {
    const { baseUrl, asked } = await startStranger((request, response, _, count) => {
      response.setHeader('x-bus-repeats', 'safe');
      if (count > 1) return void response.end('{"id":1}');
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"id":', () => request.socket.destroy());
    });
    expect(await openClient({ baseUrl }).postMessage(message)).toEqual({ id: 1 });
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST']);
  });

  test('the first call of a client is brought through a restart too: a read shows that the bus keeps it once', async () => {
    const bus = createScriptedBus();
    const first = await startStranger(() => {});
    const call = openClient({ baseUrl: first.baseUrl }).postMessage(message);
    await waitUntil(() => first.asked.length === 1);
    await first.stop();
    await startServer({ bus }, first.port);
    expect(await call).toEqual({ ok: true });
    expect(bus.seen.map(({ name }) => name)).toEqual(['readMessages', 'postMessage']);
    expect(bus.seen[1]?.call.idempotencyKey).toBe(first.asked[0]?.headers['idempotency-key']);
  });

  test('a bus that is restarted in the middle of a call is not noticed', async () => {
    const first = await startStranger(() => {});
    const call = openClient({ baseUrl: first.baseUrl }).claimLane({ lane: 'a', owner: 'ada', wait_s: 60 });
    await waitUntil(() => first.asked.length === 1);
    await first.stop();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const second = await startStranger((_, response) => response.end('{"ok":true}'), first.port);
    expect(await call).toEqual({ ok: true });
    expect(second.asked[0]?.headers['idempotency-key']).toBe(first.asked[0]?.headers['idempotency-key']);
  });

  test('a call that a stopping bus ended is taken to the next one', async () => {
    let end: (() => void) | undefined;
    const bus = createScriptedBus({
      readMessages: () =>
        new Promise((_, reject) => {
          end = () => reject(toBusError('unavailable', 'the bus is stopping', { retry_after_s: 1 }));
        }),
    });
    const first = await startServer({ bus });
    const call = openClient({ baseUrl: first.baseUrl }).readMessages({ since_id: 0, wait_s: 60 });
    await waitUntil(() => end !== undefined);
    const closed = first.server.close();
    end?.();
    await closed;
    await startStranger((_, response) => response.end('{"messages":[]}'), first.port);
    expect(await call).toEqual({ messages: [] });
  });

  test('a bus that keeps breaking connections is given up after some seconds', async () => {
    const { baseUrl, asked } = await startStranger((request) => void request.socket.destroy());
    const startedAtMs = performance.now();
    const error = await unreachableOf(openClient({ baseUrl }).claimLane({ lane: 'a', owner: 'ada' }));
    expect(error.message).toContain('the connection broke');
    expect(asked).toHaveLength(7);
    expect(performance.now() - startedAtMs).toBeLessThan(6_000);
  }, 10_000);

  test('neither a signal nor a closed client waits for the next repeat', async () => {
    const { baseUrl, asked } = await startStranger((request) => void request.socket.destroy());
    const controller = new AbortController();
    const client = openClient({ baseUrl });
    const call = client.postMessage(message, { signal: controller.signal });
    await waitUntil(() => asked.length >= 2);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    const other = openClient({ baseUrl });
    const cut = other.postMessage(message);
    await other.close();
    await unreachableOf(cut);
  });
});

describe('a bus that may keep a repeated post twice', () => {
  const isPost = ({ method }: { method?: string }) => method === 'POST';

  test.each([
    ['answers reads', (_: IncomingMessage, response: ServerResponse) => response.end('{"messages":[]}')],
    ['answers nothing but HTML', (_: IncomingMessage, response: ServerResponse) => response.end('<html>')],
  ])('and %s is sent it once, and the caller is told that it may be there', async (_, answer) => {
    const { baseUrl, asked } = await startStranger((request, response) => {
      if (isPost(request)) request.socket.destroy();
      else answer(request, response);
    });
    const client = openClient({ baseUrl });
    await client.getBusStatus({}).catch(() => {});
    const error = await unreachableOf(client.postMessage(message, { idempotencyKey: 'mine' }));
    expect(error.message).toContain('it may have been kept');
    expect(error.message).toContain('look before you repeat it');
    expect(asked.filter(isPost)).toHaveLength(1);
  });

  test('and answers nothing at all is sent it once', async () => {
    const { baseUrl, asked } = await startStranger((request) => void request.socket.destroy());
    const error = await unreachableOf(openClient({ baseUrl }).postMessage(message));
    expect(error.message).toContain('the connection broke');
    expect(asked.filter(isPost)).toHaveLength(1);
  }, 10_000);

  test('and does not answer in time is sent it once, and the caller is told too', async () => {
    const { baseUrl, asked } = await startStranger(() => {});
    const error = await unreachableOf(openClient({ baseUrl, timeoutSeconds: 0.5 }).postMessage(message));
    expect(error.message).toContain('it may have been kept');
    expect(asked).toHaveLength(1);
  });

  test('is sent again what does nothing more the second time', async () => {
    const { baseUrl, asked } = await startStranger((request, response, _, count) => {
      if (count === 1) request.socket.destroy();
      else response.end('{"ok":true}');
    });
    expect(await openClient({ baseUrl }).releaseLane({ lane: 'a', owner: 'ada' })).toEqual({ ok: true });
    expect(asked.filter(isPost)).toHaveLength(2);
  });
});
