import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { toBusError } from '../../src/contract/errors.ts';
import { waitUntil } from '../suite/ask.ts';
import { openClient, refusalOf, unreachableOf } from './clients.ts';
import { createScriptedBus, findClosedPort, startServer, startStranger } from './fixtures.ts';

const message = { topic: 't', sender: 's', body: 'b' };

describe('through a server', () => {
  test('every operation reaches the bus with the input that was given', async () => {
    const bus = createScriptedBus();
    const { baseUrl } = await startServer({ bus });
    const client = openClient({ baseUrl });
    const inputs = {
      postMessage: { ...message, body: 'ü\n"🚀"', action_flag: true },
      readMessages: { topic: 'a&b=c +ü🚀', since_id: 3, limit: 9, wait_s: 0 },
      claimLane: { lane: 'feeds:a.b-c', owner: 'ada', lease_s: 60, wait_s: 0 },
      releaseLane: { lane: 'feeds', owner: 'ada', fence: 2 },
      heartbeatLane: { lane: 'feeds', owner: 'ada', lease_s: 5 },
      getBusStatus: {},
      listLanes: { owner: 'a/b', limit: 2, after: 'x' },
      getLane: { lane: 'feeds' },
      readEvents: { since: 8, limit: 50, wait_s: 0 },
      acknowledgeFlag: { id: 12, by: 'ada' },
    };
    for (const [name, input] of Object.entries(inputs)) {
      await (client[name as keyof typeof inputs] as (input: object) => Promise<unknown>)(input);
    }
    expect(bus.seen.map(({ name, input }) => [name, input])).toEqual(Object.entries(inputs));
  });

  test('a refusal arrives as the bus made it', async () => {
    const data = { lane: 'feeds', owner: 'bob', expires_in_s: 9, fence: 2, waiters: 0 };
    const bus = createScriptedBus({
      claimLane: () => {
        throw toBusError('lane_held', 'held', data);
      },
    });
    const { baseUrl } = await startServer({ bus });
    const refusal = await refusalOf(openClient({ baseUrl }).claimLane({ lane: 'feeds', owner: 'ada' }));
    expect({ ...refusal }).toMatchObject({ status: 409, detail: 'held', code: 'lane_held', data });
  });

  test('what a path or a query cannot carry is refused in the words of the bus', async () => {
    const bus = createScriptedBus();
    const { baseUrl } = await startServer({ bus });
    const client = openClient({ baseUrl }) as unknown as Record<string, (input: unknown) => Promise<unknown>>;
    const cases: [string, unknown, string][] = [
      ['getLane', {}, 'lane is required'],
      ['getLane', { lane: 5 }, 'lane must be a string'],
      ['getLane', { lane: '..' }, 'lane must be letters'],
      ['getLane', { lane: 'a/b' }, 'lane must be letters'],
      ['getLane', { lane: 'a\ud800' }, 'lane must be letters'],
      ['acknowledgeFlag', { id: '5', by: 'ada' }, 'id must be a number'],
      ['readMessages', { topic: 5 }, 'topic must be a string'],
      ['readMessages', { topic: null }, 'topic must be a string'],
      ['readMessages', { limit: '5' }, 'limit must be a number'],
      ['readMessages', { topic: '\ud800' }, 'topic must not contain NUL or half of a surrogate pair'],
      ['readMessages', { colour: 'red' }, 'colour is not known here'],
      ['readMessages', [], 'input must be a JSON object'],
      ['postMessage', null, 'input must be a JSON object'],
      ['postMessage', { body: 1n }, 'input cannot be written as JSON'],
      [
        'postMessage',
        { ...message, body: '\ud800' },
        'body must not contain NUL or half of a surrogate pair',
      ],
      ['postMessage', { ...message, body: Number.NaN }, 'body must be a string'],
    ];
    for (const [name, input, sentence] of cases) {
      const refusal = await refusalOf((client[name] as (input: unknown) => Promise<unknown>)(input));
      expect([refusal.status, refusal.code]).toEqual([422, 'invalid_input']);
      expect(refusal.detail).toContain(sentence);
    }
    expect(bus.seen).toEqual([]);
  });

  test('the secret goes with writes only, in the bytes it has', async () => {
    const bus = createScriptedBus();
    const { baseUrl } = await startServer({ bus, writeSecret: 'hüsh→🔑' });
    expect((await refusalOf(openClient({ baseUrl }).postMessage(message))).code).toBe('unauthorized');
    const armed = openClient({ baseUrl, writeSecret: 'hüsh→🔑' });
    await armed.postMessage(message);
    const other = await startStranger((_, response) => response.end('{}'));
    const client = openClient({ baseUrl: other.baseUrl, writeSecret: 'hush', userAgent: 'tester/1' });
    await client.getBusStatus({});
    await client.postMessage(message);
    expect(other.asked.map(({ headers }) => headers['x-bus-secret'])).toEqual([undefined, 'hush']);
    expect(other.asked.map(({ headers }) => headers['user-agent'])).toEqual(['tester/1', 'tester/1']);
  });

  test('calls of one client share kept connections', async () => {
    const { baseUrl, asked, sockets } = await startStranger((_, response) => response.end('{}'));
    const client = openClient({ baseUrl });
    for (let count = 0; count < 5; count += 1) await client.postMessage(message);
    expect([asked.length, sockets.size]).toEqual([5, 1]);
    expect(asked[0]?.headers['content-length']).toBe(String(asked[0]?.body.length));
  });

  test('the signal of a call ends the waiting at both ends', async () => {
    const bus = createScriptedBus({ readMessages: () => new Promise(() => {}) });
    const { baseUrl } = await startServer({ bus });
    const controller = new AbortController();
    const call = openClient({ baseUrl }).readMessages(
      { since_id: 0, wait_s: 300 },
      { signal: controller.signal },
    );
    await waitUntil(() => bus.seen.length === 1);
    controller.abort(new Error('changed my mind'));
    await expect(call).rejects.toThrow('changed my mind');
    await waitUntil(() => bus.seen[0]?.call.signal?.aborted === true);
    const late = openClient({ baseUrl }).getBusStatus({}, { signal: controller.signal });
    await expect(late).rejects.toThrow('changed my mind');
  });
});

describe('in front of the buses of others', () => {
  test('fields this version does not know stay, and fields that are not sent are absent', async () => {
    const lane = { lane: 'feeds', owner: 'ada', mood: 'new' };
    const { baseUrl } = await startStranger((_, response) =>
      response.end(JSON.stringify({ ok: true, lane, extra: [1] })),
    );
    const answer = await openClient({ baseUrl }).claimLane({ lane: 'feeds', owner: 'ada' });
    expect(answer).toEqual({ ok: true, lane, extra: [1] });
  });

  test.each([200, 204])('an empty answer with status %i is ok', async (status) => {
    const { baseUrl } = await startStranger((_, response) => response.writeHead(status).end());
    expect(await openClient({ baseUrl }).releaseLane({ lane: 'a', owner: 'ada' })).toEqual({ ok: true });
  });

  test.each([
    [502, 'text/html', '<html><h1>Bad Gateway</h1>'],
    [200, 'text/html', '<!doctype html> <title>Welcome</title>'],
    [200, 'application/json', '["not", "an", "object"]'],
    [500, 'text/plain', 'Internal Server Error'],
    [404, '', ''],
  ])('status %i with %s is an error with that status that says so', async (status, type, text) => {
    const { baseUrl } = await startStranger((_, response) =>
      response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(text),
    );
    const refusal = await refusalOf(openClient({ baseUrl }).getBusStatus({}));
    expect([refusal.status, refusal.code]).toEqual([status, undefined]);
    expect(refusal.detail).toContain('the bus answered with something other than JSON');
    expect(refusal.detail).toContain(baseUrl);
  });

  test('a redirect is not followed, but shown', async () => {
    const { baseUrl, asked } = await startStranger((_, response) =>
      response.writeHead(307, { location: 'https://bus.test/api/bus' }).end(),
    );
    const refusal = await refusalOf(openClient({ baseUrl }).postMessage(message));
    expect(refusal.status).toBe(307);
    expect(refusal.detail).toContain('it points to https://bus.test/api/bus');
    expect(asked).toHaveLength(1);
  });

  test('a FastAPI list of faults becomes one sentence, and the list is kept', async () => {
    const detail = [
      { type: 'missing', loc: ['body', 'owner'], msg: 'Field required', input: {} },
      { type: 'int_type', loc: ['body', 'lease_s'], msg: 'Input should be a valid integer' },
    ];
    const { baseUrl } = await startStranger((_, response) =>
      response.writeHead(422).end(JSON.stringify({ detail })),
    );
    const refusal = await refusalOf(openClient({ baseUrl }).postMessage(message));
    expect(refusal.detail).toBe('body.owner: Field required; body.lease_s: Input should be a valid integer');
    expect([refusal.status, refusal.code, refusal.data]).toEqual([422, undefined, { detail }]);
  });

  test.each([
    [{ detail: 'Not Found' }, 'Not Found', undefined],
    [{ detail: { reason: 'held' } }, '{"reason":"held"}', { detail: { reason: 'held' } }],
    [{ message: 'else' }, 'the bus answered with status 409 and gave no reason', undefined],
    [{ detail: 'x', code: 7, data: 'y' }, 'x', undefined],
  ])('no code is guessed from %j', async (body, detail, data) => {
    const { baseUrl } = await startStranger((_, response) =>
      response.writeHead(409).end(JSON.stringify(body)),
    );
    const refusal = await refusalOf(openClient({ baseUrl }).postMessage(message));
    expect([refusal.detail, refusal.code, refusal.data]).toEqual([detail, undefined, data]);
  });

  test.each<[{ ok: boolean; data?: object; [field: string]: unknown }, string, string | undefined]>([
    [{ ok: false, error: 'lane is taken' }, 'lane is taken', undefined],
    [{ ok: false, detail: 'held', code: 'lane_held', data: { owner: 'bob' } }, 'held', 'lane_held'],
    [{ ok: false, message: 'later', decision: 'held' }, 'later', undefined],
    [{ ok: false }, 'it gave no reason', undefined],
  ])('a success that says it was none is none: %j', async (body, reason, code) => {
    const { baseUrl } = await startStranger((_, response) => response.end(JSON.stringify(body)));
    const refusal = await refusalOf(openClient({ baseUrl }).claimLane({ lane: 'feeds', owner: 'ada' }));
    expect(refusal.detail).toBe(`the bus answered that it was not done: ${reason}`);
    expect([refusal.status, refusal.code]).toEqual([200, code]);
    expect(refusal.data).toEqual(body.data ?? body);
  });

  test('a 503 of a bus that stays is not repeated', async () => {
    const { baseUrl, asked } = await startStranger((_, response) =>
      response.writeHead(503).end('{"detail":"full","code":"unavailable","data":{"retry_after_s":1}}'),
    );
    expect((await refusalOf(openClient({ baseUrl }).postMessage(message))).code).toBe('unavailable');
    expect(asked).toHaveLength(1);
  });
});

describe('where no bus is', () => {
  test('a closed port is named, at once and without repeating', async () => {
    const port = await findClosedPort();
    const baseUrl = `http://127.0.0.1:${port}/api/bus`;
    const startedAtMs = performance.now();
    const error = await unreachableOf(openClient({ baseUrl }).postMessage(message));
    expect(error.message).toContain(baseUrl);
    expect(error.message).toContain('refused');
    expect(error.url).toBe(baseUrl);
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
  });

  test('a name that does not resolve is said to be none', async () => {
    const error = await unreachableOf(
      openClient({ baseUrl: 'http://no-such-bus.invalid/api/bus' }).getBusStatus({}),
    );
    expect(error.message).toMatch(/no such host|could not be looked up/);
  });

  test.each([
    '',
    'nonsense',
    'ftp://127.0.0.1/api/bus',
    'http://',
    '127.0.0.1:8100/api/bus',
    'http://a:99999/',
  ])('the malformed address %j fails every call, and nothing before', async (baseUrl) => {
    const client = openClient({ baseUrl });
    const error = await unreachableOf(client.getBusStatus({}));
    expect(error.message).toContain('not an address of the form http://host:port/api/bus');
    expect(error.url).toBe(baseUrl);
  });

  test('a bus that never answers is given up after the timeout, without repeating', async () => {
    const { baseUrl, asked } = await startStranger(() => {});
    const error = await unreachableOf(openClient({ baseUrl, timeoutSeconds: 0.05 }).postMessage(message));
    expect(error.message).toContain('no answer came within 0.05 seconds');
    expect(asked).toHaveLength(1);
  });

  test('an answer that comes too late, or not to its end, is none', async () => {
    const { baseUrl } = await startStranger((_, response) => void response.write('{"ok":'));
    const error = await unreachableOf(openClient({ baseUrl, timeoutSeconds: 0.05 }).getBusStatus({}));
    expect(error.message).toContain('no answer came within');
  });

  test('a call that waits is given its waiting time on top', async () => {
    const { baseUrl } = await startStranger(
      (_, response) => void setTimeout(() => response.end('{"ok":true}'), 120),
    );
    const client = openClient({ baseUrl, timeoutSeconds: 0.05 });
    expect(await client.readMessages({ since_id: 0, wait_s: 2 })).toEqual({ ok: true });
  });

  test('something that is not HTTP is not taken for a bus', async () => {
    const server = net.createServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as net.AddressInfo;
    const error = await unreachableOf(openClient({ baseUrl: `http://127.0.0.1:${port}` }).getBusStatus({}));
    expect(error.message).toContain('Parse Error');
  });

  test('a password in the address is not shown', async () => {
    const port = await findClosedPort();
    const error = await unreachableOf(
      openClient({ baseUrl: `http://ada:pa55@127.0.0.1:${port}/` }).getBusStatus({}),
    );
    expect(`${error.message} ${error.url}`).not.toContain('pa55');
  });

  test('a secret that no header can carry is not shown either', async () => {
    const { baseUrl } = await startStranger((_, response) => response.end('{}'));
    const error = await unreachableOf(
      openClient({ baseUrl, writeSecret: 'pa55\rword' }).postMessage(message),
    );
    expect(error.message).not.toContain('pa55');
  });
});
