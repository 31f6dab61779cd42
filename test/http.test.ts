import { describe, expect, test } from 'vitest';
import { BusError, BusUnreachableError, toBusError } from '../src/contract/errors.ts';
import type { Measurement } from '../src/http/answers.ts';
import { ask, createScriptedBus, post, startServer } from './http/fixtures.ts';

const message = { topic: 't', sender: 's', body: 'b' };

describe('routes', () => {
  test('gives the bus the fields of path and body as one input, and its answer back whole', async () => {
    const bus = createScriptedBus({
      claimLane: () => ({ ok: true, decision: 'claim', of_a_later_version: [1] }),
    });
    const { port } = await startServer({ bus });
    const answer = await post(port, '/api/bus/lanes/feeds%3Aa/claim', { owner: 'ada', lease_s: 7 });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ ok: true, decision: 'claim', of_a_later_version: [1] });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(bus.seen[0]).toMatchObject({
      name: 'claimLane',
      input: { lane: 'feeds:a', owner: 'ada', lease_s: 7 },
    });
  });

  test('gives query parameters the types of their fields', async () => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus });
    await ask(port, 'GET', '/api/bus/messages?topic=12&since_id=4&limit=3');
    await ask(port, 'GET', '/api/bus/messages?topic=a+b%C3%BC');
    expect(bus.seen[0]?.input).toEqual({ topic: '12', since_id: 4, limit: 3, wait_s: 0 });
    expect(bus.seen[1]?.input).toMatchObject({ topic: 'a bü' });
  });

  test('reads an id from the path as a number', async () => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus });
    expect((await post(port, '/api/bus/messages/17/ack', { by: 'ada' })).status).toBe(200);
    expect(bus.seen[0]?.input).toEqual({ id: 17, by: 'ada' });
    expect((await post(port, '/api/bus/messages/x/ack', { by: 'ada' })).json).toMatchObject({
      code: 'invalid_input',
      data: { issues: [{ field: 'id', message: 'must be a number' }] },
    });
  });

  test('answers an unknown path with 404, and a known one with the method it wants', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const unknown = await ask(port, 'GET', '/api/bus/nothing');
    expect([unknown.status, unknown.json.code]).toEqual([404, 'not_found']);
    const wrong = await ask(port, 'GET', '/api/bus/message');
    expect([wrong.status, wrong.json.code, wrong.headers.allow]).toEqual([404, 'not_found', 'POST']);
    expect(wrong.json.detail).toContain('use POST');
  });

  test('answers HEAD as GET without the body', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await ask(port, 'HEAD', '/api/bus/status');
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([200, '', '11']);
  });

  test('says at /healthz whether all is well', async () => {
    let ok = true;
    const { port } = await startServer({
      bus: createScriptedBus(),
      health: async () => ({ ok, writable: ok }),
    });
    expect(await ask(port, 'GET', '/healthz')).toMatchObject({
      status: 200,
      json: { ok: true, writable: true },
    });
    ok = false;
    expect(await ask(port, 'GET', '/healthz')).toMatchObject({ status: 503, json: { ok: false } });
  });

  test('is not healthy when it cannot say so', async () => {
    const health = () => Promise.reject(new Error('disk away'));
    const { port, log } = await startServer({ bus: createScriptedBus(), health });
    expect(await ask(port, 'GET', '/healthz')).toMatchObject({ status: 503, json: { ok: false } });
    expect(log.entries).toMatchObject([{ level: 'error', data: { err: { message: 'disk away' } } }]);
  });

  test('serves its OpenAPI document with the version', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await ask(port, 'GET', '/api/bus/openapi.json');
    expect(answer.json).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
  });

  test('mounts pages, guards them, and answers for one that fails', async () => {
    const { port, log } = await startServer({
      bus: createScriptedBus(),
      pages: [
        { method: 'GET', path: '/', handle: (_, response) => void response.end('<p>panel') },
        {
          method: 'POST',
          path: '/mcp',
          handle: () => {
            throw new Error('secret cause');
          },
        },
      ],
    });
    expect((await ask(port, 'GET', '/')).text).toBe('<p>panel');
    expect((await ask(port, 'GET', '/', { headers: { host: 'evil.test' } })).status).toBe(403);
    const failed = await ask(port, 'POST', '/mcp');
    expect([failed.status, failed.json.code]).toEqual([500, 'internal']);
    expect(failed.text).not.toContain('secret cause');
    expect(log.entries[0]).toMatchObject({ level: 'error', data: { route: '/mcp' } });
  });
});

describe('refusals', () => {
  test('answers a refusal of the bus with its status, detail, code and data', async () => {
    const data = { lane: 'feeds', owner: 'bob', expires_in_s: 9, fence: 2, waiters: 0 };
    const bus = createScriptedBus({
      claimLane: () => {
        throw toBusError('lane_held', "lane 'feeds' held by 'bob' (lease 9s remaining)", data);
      },
    });
    const { port } = await startServer({ bus });
    const answer = await post(port, '/api/bus/lanes/feeds/claim', { owner: 'ada' });
    expect(answer.status).toBe(409);
    expect(answer.json).toEqual({
      detail: "lane 'feeds' held by 'bob' (lease 9s remaining)",
      code: 'lane_held',
      data,
    });
  });

  test('says in Retry-After when to come back', async () => {
    const bus = createScriptedBus({
      postMessage: () => {
        throw toBusError('unavailable', 'the disk is full', { retry_after_s: 1.2 });
      },
    });
    const { port } = await startServer({ bus });
    const answer = await post(port, '/api/bus/message', message);
    expect([answer.status, answer.headers['retry-after'], answer.json.data]).toEqual([
      503,
      '2',
      { retry_after_s: 1.2 },
    ]);
  });

  test('answers 503 when the bus behind it cannot be reached, and 502 when that one talks nonsense', async () => {
    const faults = [
      new BusUnreachableError('no bus answered', 'http://x'),
      new BusError({ status: 200, detail: 'the bus answered with something other than JSON' }),
    ];
    const bus = createScriptedBus({
      getBusStatus: () => {
        throw faults.shift();
      },
    });
    const { port, log } = await startServer({ bus });
    const away = await ask(port, 'GET', '/api/bus/status');
    expect([away.status, away.json.code, away.json.detail]).toEqual([503, 'unavailable', 'no bus answered']);
    expect((await ask(port, 'GET', '/api/bus/status')).status).toBe(502);
    expect(log.entries).toMatchObject([{ level: 'warn', data: { reason: 'no bus answered' } }]);
  });

  test('tells only the log why it failed', async () => {
    const bus = createScriptedBus({
      getBusStatus: () => {
        throw new Error('table is gone');
      },
    });
    const { port, log } = await startServer({ bus });
    const answer = await ask(port, 'GET', '/api/bus/status', { headers: { 'x-request-id': 'mine-1' } });
    expect([answer.status, answer.json.code]).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('table is gone');
    expect(answer.headers['x-request-id']).toBe('mine-1');
    expect(log.entries).toMatchObject([
      { level: 'error', data: { requestId: 'mine-1', route: '/status', err: { message: 'table is gone' } } },
    ]);
  });

  test('answers 500 when the answer of the bus cannot be written as JSON', async () => {
    const { port } = await startServer({ bus: createScriptedBus({ getBusStatus: () => ({ n: 1n }) }) });
    expect((await ask(port, 'GET', '/api/bus/status')).json.code).toBe('internal');
  });

  test('gives a request without a fit id one of its own', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const ids = [];
    for (const id of ['', 'has blank', 'x'.repeat(65)]) {
      ids.push(
        (await ask(port, 'GET', '/api/bus/status', { headers: { 'x-request-id': id } })).headers[
          'x-request-id'
        ],
      );
    }
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]+-[a-z0-9]+$/);
    expect(new Set(ids).size).toBe(3);
  });

  test('says with every answer that it honours idempotency keys', async () => {
    const { port } = await startServer({ bus: createScriptedBus(), writeSecret: 'hush' });
    const answers = [
      await ask(port, 'GET', '/api/bus/status'),
      await ask(port, 'GET', '/nothing'),
      await post(port, '/api/bus/message', {}),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 401]);
    for (const { headers } of answers) expect(headers['x-bus-repeats']).toBe('safe');
  });

  test('measures every request under the path as the contract writes it', async () => {
    const measured: Measurement[] = [];
    const { port } = await startServer({ bus: createScriptedBus(), observe: (one) => measured.push(one) });
    await post(port, '/api/bus/lanes/a/claim', { owner: 'ada' });
    await ask(port, 'GET', '/nothing/at/all');
    expect(measured).toMatchObject([
      { method: 'POST', route: '/lanes/{lane}/claim', status: 200 },
      { method: 'GET', route: 'unknown', status: 404 },
    ]);
  });
});
