import { describe, expect, test } from 'vitest';
import { openClient, refusalOf, unreachableOf } from './clients.ts';
import { startStranger } from './fixtures.ts';

const message = { topic: 't', sender: 's', body: 'b' };
const nobody = 'http://127.0.0.1:9/api/bus';

describe('several buses in the address', () => {
  test('the next one is asked when the first cannot be reached, and stays the one', async () => {
    const second = await startStranger((_, response) => response.end('{"id":2}'));
    const client = openClient({ baseUrl: `${nobody}, ${second.baseUrl}` });
    expect(await client.postMessage(message)).toEqual({ id: 2 });
    expect(await client.postMessage(message)).toEqual({ id: 2 });
    expect(second.asked).toHaveLength(2);
  });

  test('a call whose connection broke goes on at the next one, with the same key', async () => {
    const first = await startStranger((request) => request.socket.destroy());
    const second = await startStranger((_, response) =>
      response.setHeader('x-bus-repeats', 'safe').end('{"id":2}'),
    );
    const client = openClient({ baseUrl: `${first.baseUrl},${second.baseUrl}` });
    expect(await client.postMessage(message)).toEqual({ id: 2 });
    const keys = [...first.asked, ...second.asked]
      .filter(({ method }) => method === 'POST')
      .map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  test('a post whose connection broke is sent to no other that may keep it twice', async () => {
    const first = await startStranger((request) => request.socket.destroy());
    const second = await startStranger((_, response) => response.end('{"id":2}'));
    const client = openClient({ baseUrl: `${first.baseUrl},${second.baseUrl}` });
    const { message: words } = await unreachableOf(client.postMessage(message));
    expect(words).toContain('it may have been kept');
    const posts = [...first.asked, ...second.asked].filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(1);
  });

  test('a refusal of the first is an answer: nobody else is asked', async () => {
    const first = await startStranger((_, response) => response.writeHead(409).end('{"detail":"no"}'));
    const second = await startStranger((_, response) => response.end('{"id":2}'));
    const client = openClient({ baseUrl: `${first.baseUrl},${second.baseUrl}` });
    await expect(client.postMessage(message)).rejects.toMatchObject({ status: 409, detail: 'no' });
    expect(second.asked).toHaveLength(0);
  });

  const unavailable = (detail: string) => JSON.stringify({ detail, code: 'unavailable', data: {} });

  test('a bus that cannot serve now is left for the next one, which is asked with the same key', async () => {
    const first = await startStranger((_, response) => response.writeHead(503).end(unavailable('away')));
    const second = await startStranger((_, response) => response.end('{"id":2}'));
    const client = openClient({ baseUrl: `${first.baseUrl},${second.baseUrl}` });
    expect(await client.postMessage(message)).toEqual({ id: 2 });
    const keys = [...first.asked, ...second.asked].map(({ headers }) => headers['idempotency-key']);
    expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
    expect(await client.postMessage(message)).toEqual({ id: 2 });
    expect([first.asked.length, second.asked.length]).toEqual([1, 2]);
  });

  test('when none can serve now, each was asked once, and one of them says why', async () => {
    const [first, second] = [
      await startStranger((_, response) => response.writeHead(503).end(unavailable('first'))),
      await startStranger((_, response) => response.writeHead(503).end(unavailable('second'))),
    ];
    const client = openClient({ baseUrl: `${first.baseUrl},${second.baseUrl}` });
    expect((await refusalOf(client.postMessage(message))).detail).toBe('second');
    expect([first.asked.length, second.asked.length]).toEqual([1, 1]);
    const half = openClient({ baseUrl: `${first.baseUrl},${nobody}` });
    expect((await refusalOf(half.postMessage(message))).detail).toBe('first');
  });

  test('when none can be reached, all that were tried are named', async () => {
    const other = 'http://127.0.0.1:7/api/bus';
    const { message: words } = await unreachableOf(
      openClient({ baseUrl: `${nobody},${other}` }).getBusStatus({}),
    );
    expect(words).toContain(`${nobody}, ${other}`);
  });
});
