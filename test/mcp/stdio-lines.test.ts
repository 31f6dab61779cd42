import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFixedIdentity } from '../../src/mcp/identity.ts';
import { serveMcpOverStdio } from '../../src/mcp/stdio/entry.ts';
import { createScriptedBus, waitForAbort } from './scripted-bus.ts';

type Line = Readonly<{ id?: unknown; error?: { code: number; message: string }; result?: object }>;

/** A session spoken in bytes; `next` is the next line that the server writes, as text. */
async function open(version = '2025-11-25') {
  const { bus, calls } = createScriptedBus({ readMessages: waitForAbort });
  const [input, output] = [new PassThrough(), new PassThrough()];
  const log: string[] = [];
  const ended = serveMcpOverStdio({
    bus,
    version: '1.2.3',
    identity: createFixedIdentity('session:test'),
    log: (sentence) => void log.push(sentence),
    input,
    output,
  });
  onTestFinished(async () => {
    input.end();
    await ended;
  });
  let text = '';
  output.on('data', (chunk) => (text += chunk));
  const next = async (): Promise<string> => {
    await vi.waitFor(() => expect(text).toContain('\n'), { timeout: 5_000, interval: 5 });
    const line = text.slice(0, text.indexOf('\n'));
    text = text.slice(line.length + 1);
    return line;
  };
  const send = (line: string | Buffer) =>
    void input.write(Buffer.concat([Buffer.from(line), Buffer.from('\n')]));
  const ask = async (line: string | Buffer) => {
    send(line);
    return JSON.parse(await next());
  };
  const initialize = {
    protocolVersion: version,
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  };
  await ask(JSON.stringify({ jsonrpc: '2.0', id: 'start', method: 'initialize', params: initialize }));
  send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  return { ask, send, next, calls, log };
}

const toCall = (id: unknown, name: string, given?: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: given } });

describe('a line over stdio', () => {
  it.each([
    ['null', 'null'],
    ['1.5', '1.5'],
    ['true', 'null'],
    ['[1]', 'null'],
    ['9007199254740993', '9007199254740993'],
    ['-1e400', '-1e400'],
  ])('with the id %s is refused under the id %s, as it was written', async (id, answered) => {
    const { send, next } = await open();
    send(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"get_bus_status","arguments":{"id":7}}}`,
    );
    const line = await next();
    expect(line).toContain(`"id":${answered},`);
    expect(JSON.parse(line).error).toMatchObject({
      code: -32600,
      message: expect.stringContaining('an id that is a string'),
    });
  });

  it.each([
    ['that is no JSON', 'hello there', -32700],
    ['with a message cut short', '{"jsonrpc":"2.0","id":1', -32700],
    ['with a number', '5', -32600],
    ['with an empty batch', '[]', -32600],
    ['without a method', '{"jsonrpc":"2.0"}', -32600],
    [
      'nested deeply',
      `{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
      -32700,
    ],
    ['that repeats a key', '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"ping"}', -32700],
    ['of another protocol', '{"id":1,"method":"ping"}', -32600],
  ])('%s is answered with an error, named in the log, and the next is served', async (_, line, code) => {
    const { ask, log } = await open();
    expect((await ask(line)).error?.code).toBe(code);
    expect(log).toEqual([expect.stringContaining('a line of the client was refused: ')]);
    expect((await ask(toCall(2, 'get_bus_status'))).result.structuredContent.ok).toBe(true);
  });

  it('is cut and escaped in the log', async () => {
    const { ask, log } = await open();
    await ask(`\u001b[2J${'x'.repeat(500)}`);
    expect(log[0]).toContain('\\u001b[2J');
    expect(log[0]?.length).toBeLessThan(300);
  });

  it('that is longer than can be read is refused, and the next is served', async () => {
    const { ask } = await open();
    expect((await ask(toCall(7, 'x', { body: 'x'.repeat(11_000_000) }))).error?.code).toBe(-32600);
    expect((await ask(toCall(2, 'get_bus_status'))).id).toBe(2);
  });

  it('with bytes that are no UTF-8 is refused under its id, and nothing of it is kept', async () => {
    const { ask, calls } = await open();
    const text = toCall(9, 'post_message', { topic: 't', body: 'a?b' });
    const bytes = Buffer.from(text);
    bytes[bytes.indexOf('?')] = 0xff;
    expect(await ask(bytes)).toMatchObject({
      id: 9,
      error: { code: -32700, message: expect.stringContaining('UTF-8') },
    });
    expect(calls).toEqual([]);
  });

  it('may begin with a byte order mark and end with a carriage return', async () => {
    const { ask } = await open();
    expect((await ask(`\ufeff${toCall(3, 'get_bus_status')}\r`)).id).toBe(3);
  });

  it('may say null for params', async () => {
    const { ask } = await open();
    expect(
      (await ask('{"jsonrpc":"2.0","id":4,"method":"tools/list","params":null}')).result.tools,
    ).toHaveLength(6);
  });
});

describe('a batch over stdio', () => {
  it('is answered as one array, once every request of it is answered', async () => {
    const { ask, calls } = await open('2025-03-26');
    const answers: Line[] = await ask(
      `[${[
        toCall(1, 'get_bus_status'),
        '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}',
        toCall(2, 'post_message', { topic: 't', body: 'b' }),
        '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
        '7',
      ].join(',')}]`,
    );
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual(
      expect.arrayContaining([
        [1, undefined],
        [2, undefined],
        [1.5, -32600],
        [null, -32600],
      ]),
    );
    expect(answers).toHaveLength(4);
    expect(calls.map(({ name }) => name).sort()).toEqual(['getBusStatus', 'postMessage']);
  });

  it('of nothing but notifications is not answered', async () => {
    const { ask, send } = await open('2025-03-26');
    send('[{"jsonrpc":"2.0","method":"notifications/initialized"}]');
    expect((await ask(toCall(5, 'get_bus_status'))).id).toBe(5);
  });

  it('is answered without the request that its client cancelled', async () => {
    const { send, next, calls } = await open('2025-03-26');
    send(`[${toCall(1, 'read_messages', { since_id: 0, wait_s: 300 })},${toCall(2, 'get_bus_status')}]`);
    await vi.waitFor(() => expect(calls).toHaveLength(2));
    send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}');
    const answers: Line[] = JSON.parse(await next());
    expect(answers.map(({ id }) => id)).toEqual([2]);
  });
});

describe('arguments as clients send them', () => {
  const inputOf = async (name: string, given: unknown) => {
    const { ask, calls } = await open();
    const { result } = await ask(toCall(1, name, given));
    return { input: calls[0]?.input, result: result.structuredContent };
  };

  it.each([null, ''])('are left out where they are optional and %j', async (nothing) => {
    const given = { lane: 'docs', owner: nothing, lease_s: nothing, wait_s: nothing, keep_alive: nothing };
    const { input } = await inputOf('claim_lane', given);
    expect(input).toEqual({ lane: 'docs', owner: 'session:test' });
  });

  it.each([null, ''])('are refused where they are required and %j', async (nothing) => {
    const { input, result } = await inputOf('claim_lane', { lane: nothing });
    expect([input, result.error.type]).toEqual([undefined, 'invalid_arguments']);
  });

  it('are taken as text where a number or a boolean is asked for', async () => {
    const { input } = await inputOf('post_message', {
      topic: '5',
      body: 'true',
      action_flag: 'true',
      lane: 'l',
      fence: '7',
    });
    expect(input).toMatchObject({ topic: '5', body: 'true', action_flag: true, lane: 'l', fence: 7 });
  });

  it.each([
    [{ lane: 'docs', lease_s: 'soon' }],
    [{ lane: 'docs', lease_s: true }],
    [{ lane: 5 }],
    [{ lane: 'docs', keep_alive: 'yes' }],
    [{ lane: 'docs', unknown: null }],
  ])('are refused when they are anything else: %j', async (given) => {
    const { input, result } = await inputOf('claim_lane', given);
    expect([input, result.error.type]).toEqual([undefined, 'invalid_arguments']);
  });

  it.each([null, undefined, {}, { random_string: 'dummy' }])(
    'may be %j for a tool that takes none',
    async (given) => {
      expect((await inputOf('get_bus_status', given)).input).toEqual({});
    },
  );

  it('are refused, not dropped, when one is called __proto__', async () => {
    const { ask, calls } = await open();
    const { result } = await ask(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"claim_lane","arguments":{"lane":"docs","__proto__":{"x":1}}}}',
    );
    expect(result.structuredContent.error.message).toContain('__proto__ is not known here');
    expect(calls).toEqual([]);
  });
});
