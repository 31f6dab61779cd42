import { describe, expect, it, vi } from 'vitest';
import { toBusError } from '../../src/contract/errors.ts';
import { ask, post } from '../http/fixtures.ts';
import { startMcpHttp } from './http-server.ts';
import { eras, toCall } from './raw-calls.ts';
import { createScriptedBus, waitForAbort } from './scripted-bus.ts';

describe('at the door of /mcp', () => {
  const [{ headers = {} } = {}] = eras;

  async function start() {
    const { bus, calls } = createScriptedBus();
    return { ...(await startMcpHttp(bus)), calls };
  }

  it.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a name that somebody gave to this machine', { host: 'evil.example:8100' }],
  ])('%s is refused', async (_, wrong) => {
    const { port, calls } = await start();
    const answer = await post(port, '/mcp', toCall('get_bus_status', {}), { ...headers, ...wrong });
    expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden_origin' } });
    expect(calls).toEqual([]);
  });

  it.each(['GET', 'DELETE'])('%s is answered 405, for there are no sessions', async (method) => {
    const { port } = await start();
    const answer = await ask(port, method, '/mcp', { headers: { accept: 'text/event-stream' } });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
  });

  it('a body that is larger than the bus reads is refused, and the refusal arrives', async () => {
    const { port } = await start();
    const answer = await post(port, '/mcp', toCall('x', { body: 'x'.repeat(600_000) }), headers);
    expect(answer).toMatchObject({ status: 413, json: { code: 'too_large' } });
  });

  it.each(['{', 'null', '5', '"text"', '{"jsonrpc":"2.0"}', ''])('%j is no message', async (body) => {
    const { port, log } = await start();
    const answer = await post(port, '/mcp', body, headers);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } });
    expect(log).toEqual([]);
  });

  it.each(eras)('arguments that are no object are refused in the words of the tool: $era', async (era) => {
    const { port, calls } = await start();
    for (const given of [[], 5, 'text']) {
      const message = toCall('get_bus_status', given as never, era.meta);
      const more = era.meta && { 'mcp-name': 'get_bus_status' };
      const { status, text } = await post(port, '/mcp', message, { ...era.headers, ...more });
      expect(status, text).toBe(200);
      expect(text).toContain('[get_bus_status] invalid input: arguments must be a JSON object');
      expect(text).toContain('"isError":true');
    }
    expect(calls).toEqual([]);
  });

  it('nesting deeper than anything needs is refused before a library walks it', async () => {
    const { port, log, calls } = await start();
    const deep = `${'['.repeat(4_110)}${']'.repeat(4_110)}`;
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_bus_status","arguments":${deep}}}`;
    const answer = await post(port, '/mcp', body, headers);
    expect(answer).toMatchObject({ status: 400, json: { error: { code: -32700 } } });
    expect(answer.text).toContain('nested deeper than 64 levels');
    expect([calls, log]).toEqual([[], []]);
  });

  it.each(['null', '1.5', 'true', '9007199254740993', '[1]'])(
    'the id %s is refused, for it could not come back as it was sent',
    async (id) => {
      const { port, calls } = await start();
      const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"get_bus_status"}}`;
      const answer = await post(port, '/mcp', body, headers);
      expect(answer).toMatchObject({ status: 400, json: { id: null, error: { code: -32600 } } });
      expect(calls).toEqual([]);
    },
  );

  it.each([{ accept: '*/*' }, { accept: 'text/html, */*;q=0.8' }, {}])(
    'a client that accepts everything (%j) is answered, with a slash at the end of the address too',
    async (accepted) => {
      const { port } = await start();
      const more = { ...accepted, 'mcp-protocol-version': '2025-11-25' };
      for (const path of ['/mcp', '/mcp/']) {
        const answer = await post(port, path, toCall('get_bus_status', {}), more);
        expect([path, answer.status]).toEqual([path, 200]);
      }
    },
  );

  it('a client that accepts neither type is still refused', async () => {
    const { port } = await start();
    const answer = await post(port, '/mcp', toCall('get_bus_status', {}), { accept: 'text/html' });
    expect(answer.status).toBe(406);
  });

  it('what is not called JSON is not read', async () => {
    const { port, calls } = await start();
    const message = toCall('get_bus_status', {});
    const answer = await post(port, '/mcp', message, { ...headers, 'content-type': 'text/plain' });
    expect(answer).toMatchObject({ status: 415, json: { code: 'invalid_input' } });
    expect(calls).toEqual([]);
  });

  it.each(['', 'x'.repeat(201), Buffer.from('\ud83d\ude00').subarray(0, 2).toString('latin1')])(
    'an agent id that is none is refused: %j',
    async (agent) => {
      const { port, calls } = await start();
      const message = toCall('get_bus_status', {});
      const answer = await post(port, '/mcp', message, { ...headers, 'x-bus-agent': agent });
      expect(answer).toMatchObject({ status: 422, json: { code: 'invalid_input' } });
      expect(answer.text).toContain('x-bus-agent');
      expect(calls).toEqual([]);
    },
  );

  it('an agent id in UTF-8 arrives as it was meant', async () => {
    const { port, calls } = await start();
    const agent = Buffer.from('žofie', 'utf8').toString('latin1');
    await post(port, '/mcp', toCall('claim_lane', { lane: 'docs' }), { ...headers, 'x-bus-agent': agent });
    expect(calls[0]?.input).toMatchObject({ owner: 'žofie' });
  });

  it('a call that would wait on does not hold up the stop of the bus', async () => {
    const { bus, calls } = createScriptedBus({ readMessages: waitForAbort });
    const { url, close } = await startMcpHttp(bus);
    const body = JSON.stringify(toCall('read_messages', { since_id: 0, wait_s: 300 }));
    const answer = fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    })
      .then((response) => response.text())
      .catch(() => 'cut off');
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    const startedAt = performance.now();
    await close();
    expect(await answer).toBe('cut off');
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(calls[0]?.call?.signal?.aborted).toBe(true);
  });

  it('a read for whose answer there is no room does not come to the bus, and a write does', async () => {
    const { bus, calls } = createScriptedBus();
    const full = toBusError('unavailable', 'no room', { retry_after_s: 1 });
    const { port } = await startMcpHttp(bus, {
      checkRoom: () => {
        throw full;
      },
    });
    const call = (name: string, input: object) => post(port, '/mcp', toCall(name, input), headers);
    const { text } = await call('read_messages', {});
    expect(text).toContain('"status_code":503,"code":"unavailable","data":{"retry_after_s":1}');
    expect(calls).toEqual([]);
    await call('post_message', { topic: 't', sender: 's', body: 'b' });
    expect(calls.map(({ name }) => name)).toEqual(['postMessage']);
  });

  it('of those who are woken together each is answered before the answer of the next is made', async () => {
    let wake = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const order: string[] = [];
    const { bus, calls } = createScriptedBus({
      readMessages: async () => {
        await woken;
        let isMade = false;
        const toJSON = () => {
          if (!isMade) order.push('made');
          isMade = true;
          return { id: 1, body: 'news' };
        };
        return { messages: [{ toJSON }], cursor: 1, has_more: false };
      },
    });
    const { port, server } = await startMcpHttp(bus);
    server.on('request', (_, response) => {
      const write = response.write.bind(response) as (chunk: unknown) => boolean;
      response.write = (chunk: unknown) => {
        if (String(chunk).includes('news') || Buffer.from(chunk as Uint8Array).includes('news'))
          order.push('sent');
        return write(chunk);
      };
    });
    const message = toCall('read_messages', { since_id: 0, wait_s: 60 });
    const answers = Array.from({ length: 12 }, () => post(port, '/mcp', message, headers));
    await vi.waitFor(() => expect(calls).toHaveLength(12), 10_000);
    wake();
    await Promise.all(answers);
    expect(order).toEqual(Array.from({ length: 12 }, () => ['made', 'sent']).flat());
  });
});
