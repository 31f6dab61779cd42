import { request as httpRequest } from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { ask, createScriptedBus, post, sendRaw, startServer } from './fixtures.ts';

const message = { topic: 't', sender: 's', body: 'b' };

describe('input that does not fit', () => {
  const body = JSON.stringify(message);
  const head = (length: number, more = '') =>
    `POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n`;

  test.each([
    ['a body that is not JSON', '{"topic":'],
    ['an array', '[1]'],
    ['a number', '7'],
    ['null', 'null'],
    ['a key given twice', '{"topic":"t","sender":"s","body":"b","body":"c"}'],
    ['a key given twice, once as an escape', '{"topic":"t","sender":"s","body":"b","bod\\u0079":"c"}'],
    ['a key given twice further in', '{"topic":"t","sender":"s","body":{"a":1,"a":2}}'],
    ['nothing where fields are required', ''],
    ['unknown fields', '{"topic":"t","sender":"s","body":"b","extra":1}'],
    ['a field named __proto__', '{"topic":"t","sender":"s","body":"b","__proto__":{"x":1}}'],
    ['a NUL', '{"topic":"t","sender":"s","body":"a\\u0000"}'],
    ['half of a surrogate pair', '{"topic":"t","sender":"s","body":"\\ud800"}'],
    ['a number beyond 2^53', '{"topic":"t","sender":"s","body":"b","lane":"l","fence":9007199254740993}'],
    ['deep nesting', `{"topic":${'['.repeat(50_000)}${']'.repeat(50_000)},"sender":"s","body":"b"}`],
  ])('refuses %s', async (_, text) => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus });
    const answer = await post(port, '/api/bus/message', text);
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_input']);
    expect(answer.json.detail).toMatch(/^invalid input: /);
    expect(bus.seen).toEqual([]);
  });

  test('refuses bytes that are not UTF-8', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const bytes = Buffer.concat([Buffer.from('{"topic":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const answer = await post(port, '/api/bus/message', bytes);
    expect([answer.status, answer.json.detail]).toEqual([422, 'invalid input: input is not UTF-8']);
  });

  test.each([
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
  ])('refuses the content type %s', async (type) => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const headers = type === undefined ? {} : { 'content-type': type };
    const answer = await ask(port, 'POST', '/api/bus/message', { headers, body });
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_input']);
    expect(answer.json.detail).toContain('application/json');
  });

  test.each([
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json;charset=utf8',
  ])('takes the content type %s', async (type) => {
    const { port } = await startServer({ bus: createScriptedBus() });
    expect((await post(port, '/api/bus/message', body, { 'content-type': type })).status).toBe(200);
  });

  test.each([
    ['bad percent-encoding', '/api/bus/lanes/%zz/claim'],
    ['half a character', '/api/bus/lanes/%c3/claim'],
    ['two dots', '/api/bus/lanes/../claim'],
    ['encoded dots', '/api/bus/lanes/%2e%2e/claim'],
    ['an encoded slash', '/api/bus/lanes/a%2fb/claim'],
    ['an encoded NUL', '/api/bus/lanes/a%00/claim'],
    ['an empty lane', '/api/bus/lanes//claim'],
  ])('refuses a lane with %s before it looks at the rest', async (_, path) => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus, writeSecret: 'hush' });
    const text = await sendRaw(
      port,
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(text).toContain('HTTP/1.1 422');
    expect(text).toContain('"field":"lane"');
    expect(bus.seen).toEqual([]);
  });

  test.each([
    ['unknown', '/api/bus/messages?colour=red', 'colour is not known here'],
    ['repeated', '/api/bus/messages?limit=1&limit=2', 'limit is given more than once'],
    ['badly encoded', '/api/bus/messages?topic=%e0%a4', 'query is not valid percent-encoding'],
    ['wrongly typed', '/api/bus/messages?limit=many', 'limit must be a number'],
    ['unknown (to the status)', '/api/bus/status?verbose=1', 'verbose is not known here'],
    ['from the path', '/api/bus/lanes/a?lane=b', 'lane belongs in the path'],
  ])('refuses a query parameter that is %s', async (_, path, sentence) => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await ask(port, 'GET', path);
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_input']);
    expect(answer.json.detail).toContain(sentence);
  });

  test('refuses a query at a POST, a body at a GET, and a path field in the body', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const query = await post(port, '/api/bus/message?topic=x', message);
    expect([query.status, query.json.detail]).toEqual([
      422,
      expect.stringContaining('topic belongs in the JSON body'),
    ]);
    const read = await ask(port, 'GET', '/api/bus/status', { headers: { 'content-length': 2 }, body: '{}' });
    expect([read.status, read.json.detail]).toEqual([422, expect.stringContaining('a GET takes no body')]);
    const twice = await post(port, '/api/bus/lanes/a/claim', { lane: 'b', owner: 'ada' });
    expect([twice.status, twice.json.detail]).toEqual([
      422,
      expect.stringContaining('lane belongs in the path'),
    ]);
  });

  test('goes on with the connection after a refusal', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const first = head(5).replace('connection: close\r\n', '');
    const text = await sendRaw(port, `${first}[1,2]${head(body.length)}${body}`);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 422', 'HTTP/1.1 200']);
  });

  test('answers a body that ends before its announced length', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const text = await sendRaw(port, head(500) + body, { end: true });
    expect(text).toContain('HTTP/1.1 400');
    expect(text).toContain('"code":"invalid_input"');
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', '400', 'invalid_input'],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      '431',
      'too_large',
    ],
    [
      'a bad chunk',
      `POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
      '400',
      'invalid_input',
    ],
    ['a length and chunks at once', head(3, 'transfer-encoding: chunked\r\n'), '400', 'invalid_input'],
  ])('answers %s in its own shape', async (_, bytes, status, code) => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const text = await sendRaw(port, bytes);
    expect(text).toContain(`HTTP/1.1 ${status}`);
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ code, detail: expect.any(String) });
  });

  test('refuses a URL that is too long', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await ask(port, 'GET', `/api/bus/messages?topic=${'a'.repeat(limits.urlCharactersMax)}`);
    expect([answer.status, answer.json.code, answer.json.data]).toEqual([
      413,
      'too_large',
      { limit_bytes: 8192 },
    ]);
  });

  test('refuses an idempotency key that no header can carry unchanged, and ignores it on reads', async () => {
    const bus = createScriptedBus();
    const { port } = await startServer({ bus });
    const bad = await post(port, '/api/bus/message', message, { 'idempotency-key': 'a b' });
    expect([bad.status, bad.json.code]).toEqual([422, 'invalid_input']);
    await post(port, '/api/bus/message', message, { 'idempotency-key': 'key-1' });
    await ask(port, 'GET', '/api/bus/status', { headers: { 'idempotency-key': 'a b' } });
    expect(bus.seen.map(({ call }) => call.idempotencyKey)).toEqual(['key-1', undefined]);
  });
});

describe('bodies that are too large', () => {
  const head =
    'POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9999999999\r\n\r\n';

  test('are refused by their announced length, before a byte of them came', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const text = await sendRaw(
      port,
      'POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9999999999\r\n\r\n{',
    );
    expect(text).toContain('HTTP/1.1 413');
    expect(text).toContain('connection: close');
    expect(text).toContain(`"limit_bytes":${limits.requestBytesMax}`);
  });

  test('are refused with an answer that a sender who goes on still sees, and without a reset', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const { text, error } = await new Promise<{ text: string; error: Error | undefined }>((resolve) => {
      let text = '';
      let error: Error | undefined;
      const socket = net.connect(port, '127.0.0.1', () => socket.write(head + 'a'.repeat(12_000_000)));
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('error', (cause) => {
        error = cause;
      });
      socket.on('close', () => resolve({ text, error }));
    });
    expect(text).toContain('HTTP/1.1 413');
    expect(error).toBeUndefined();
  });

  test('are refused while they come, and not read on for long', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`;
    const { text, sent } = await new Promise<{ text: string; sent: number }>((resolve) => {
      let text = '';
      let sent = 0;
      const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
        socket.write(`${head.replace(/content-length.*\r\n/, 'transfer-encoding: chunked\r\n')}`);
        const sendOn = () => {
          while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
        };
        socket.on('drain', sendOn);
        sendOn();
      });
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve({ text, sent }));
    });
    expect(text).toContain('HTTP/1.1 413');
    expect(text).toContain('"code":"too_large"');
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('do not keep the connection of a sender who neither goes on nor leaves', async () => {
    const { port, server } = await startServer({ bus: createScriptedBus() });
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(head));
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('data', resolve));
    const count = () =>
      new Promise<number>((resolve) =>
        server.server.getConnections((_, connections) => resolve(connections)),
      );
    while ((await count()) > 0) await sleep(10);
    socket.destroy();
  });

  test('are refused without being asked for, when the sender asks first', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const headers = { 'content-type': 'application/json', expect: '100-continue' };
    const exchange = (length: number, body: string) =>
      new Promise<{ status: number | undefined; wasAskedFor: boolean }>((resolve, reject) => {
        let wasAskedFor = false;
        const request = httpRequest(
          {
            port,
            host: '127.0.0.1',
            method: 'POST',
            path: '/api/bus/message',
            agent: false,
            headers: { ...headers, 'content-length': length },
          },
          (response) => {
            response.resume().on('end', () => resolve({ status: response.statusCode, wasAskedFor }));
          },
        );
        request.on('continue', () => {
          wasAskedFor = true;
          request.end(body);
        });
        request.on('error', reject);
        request.flushHeaders();
      });
    expect(await exchange(limits.requestBytesMax + 1, '')).toEqual({ status: 413, wasAskedFor: false });
    const body = JSON.stringify(message);
    expect(await exchange(body.length, body)).toEqual({ status: 200, wasAskedFor: true });
  });

  test('leave room for the largest message with every character escaped', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const body = '\\u0001'.repeat(limits.bodyCharactersMax);
    const answer = await post(port, '/api/bus/message', `{"topic":"t","sender":"s","body":"${body}"}`);
    expect(answer.status).toBe(200);
  });
});
