import { describe, expect, test } from 'vitest';
import { toBusError } from '../../src/contract/errors.ts';
import { idempotencyKeyPattern } from '../../src/contract/limits.ts';
import { openClient, refusalOf, unreachableOf } from './clients.ts';
import { createScriptedBus, startServer, startStranger, until } from './fixtures.ts';

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

  test.each(['postMessage', 'getBusStatus'] as const)(
    '%s is repeated when the connection broke',
    async (name) => {
      const { baseUrl, asked } = await startStranger((request, response, _, count) => {
        if (count <= 2) request.socket.destroy();
        else response.end('{"id":1}');
      });
      const client = openClient({ baseUrl });
      const call = name === 'postMessage' ? client.postMessage(message) : client.getBusStatus({});
      expect(await call).toEqual({ id: 1 });
      expect(asked).toHaveLength(3);
      expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
      expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
    },
  );

  test('an answer that broke off in the middle is asked for again', async () => {
    const { baseUrl, asked } = await startStranger((request, response, _, count) => {
      if (count > 1) return void response.end('{"id":1}');
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"id":', () => request.socket.destroy());
    });
    expect(await openClient({ baseUrl }).postMessage(message)).toEqual({ id: 1 });
    expect(asked).toHaveLength(2);
  });

  test('a bus that is restarted in the middle of a call is not noticed', async () => {
    const first = await startStranger(() => {});
    const call = openClient({ baseUrl: first.baseUrl }).claimLane({ lane: 'a', owner: 'ada', wait_s: 60 });
    await until(() => first.asked.length === 1);
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
    await until(() => end !== undefined);
    const closed = first.server.close();
    end?.();
    await closed;
    await startStranger((_, response) => response.end('{"messages":[]}'), first.port);
    expect(await call).toEqual({ messages: [] });
  });

  test('a bus that keeps breaking connections is given up after some seconds', async () => {
    const { baseUrl, asked } = await startStranger((request) => void request.socket.destroy());
    const startedAtMs = performance.now();
    const error = await unreachableOf(openClient({ baseUrl }).postMessage(message));
    expect(error.message).toContain('the connection broke');
    expect(asked).toHaveLength(7);
    expect(performance.now() - startedAtMs).toBeLessThan(6_000);
  }, 10_000);

  test('neither a signal nor a closed client waits for the next repeat', async () => {
    const { baseUrl, asked } = await startStranger((request) => void request.socket.destroy());
    const controller = new AbortController();
    const client = openClient({ baseUrl });
    const call = client.postMessage(message, { signal: controller.signal });
    await until(() => asked.length >= 2);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    const other = openClient({ baseUrl });
    const cut = other.postMessage(message);
    await other.close();
    await unreachableOf(cut);
  });
});
