import http from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openEngine, startBusServer } from '../src/app/compose.ts';
import { readJson } from '../src/http/body.ts';
import { createMcpHttp } from '../src/mcp/http.ts';
import { createFixedIdentity } from '../src/mcp/identity.ts';
import { createMcpServer } from '../src/mcp/server.ts';
import { tools } from '../src/mcp/tools.ts';
import { writerFile } from './build.ts';
import { createFolder } from './folder.ts';
import { post } from './http/fixtures.ts';
import { startMcpHttp, startPages } from './mcp/http-server.ts';
import { eras, toCall } from './mcp/raw-calls.ts';
import { createScriptedBus, waitForAbort } from './mcp/scripted-bus.ts';
import { clientKinds, openHttpSession, type Session } from './mcp/sessions.ts';

const sessions: Session[] = [];

async function open(...parts: Parameters<typeof openHttpSession>): Promise<Session> {
  const session = await openHttpSession(...parts);
  sessions.push(session);
  return session;
}

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

describe.each(clientKinds)('%s over HTTP', (kind) => {
  it('sees the tools, is told how to use them, and gets what the bus answered', async () => {
    const { bus, calls } = createScriptedBus();
    const { url } = await startMcpHttp(bus);
    const session = await open(kind, url, { 'x-bus-agent': 'ada' });
    expect(session.protocolVersion).toBe(kind.endsWith('2026') ? '2026-07-28' : '2025-11-25');
    expect(session.tools).toEqual(tools.map((tool) => tool.declaration));
    expect(session.instructions).toContain('claim_lane');
    expect(session.instructions).not.toContain('keep_alive');
    expect(calls).toEqual([]);
    const { structuredContent } = await session.call('claim_lane', { lane: 'docs' });
    expect(structuredContent).toMatchObject({ ok: true, decision: 'claim' });
    expect(calls[0]?.input).toEqual({ lane: 'docs', owner: 'ada' });
  });

  it('must say who it is in every call, if no header says it', async () => {
    const { bus, calls } = createScriptedBus();
    const { url } = await startMcpHttp(bus);
    const session = await open(kind, url);
    const demanded = session.tools.map(({ name, inputSchema }) => [name, inputSchema.required]);
    expect(Object.fromEntries(demanded)).toMatchObject({
      claim_lane: ['lane', 'owner'],
      post_message: ['topic', 'sender', 'body'],
    });
    const { structuredContent } = await session.call('claim_lane', { lane: 'docs' });
    expect(structuredContent).toMatchObject({ ok: false, error: { type: 'invalid_arguments' } });
    expect(JSON.stringify(structuredContent)).toContain('owner is required');
    expect(calls).toEqual([]);
    expect(
      (await session.call('claim_lane', { lane: 'docs', owner: 'ada' })).structuredContent,
    ).toMatchObject({ ok: true });
  });

  it('is not offered what only a process of its own could keep', async () => {
    const { bus } = createScriptedBus();
    const session = await open(kind, (await startMcpHttp(bus)).url);
    expect(JSON.stringify(session.tools)).not.toContain('keep_alive');
    const given = { lane: 'docs', owner: 'ada', keep_alive: true };
    const { structuredContent } = await session.call('claim_lane', given);
    expect(structuredContent).toMatchObject({ ok: false, error: { type: 'invalid_arguments' } });
  });

  it('does not notice that the bus was restarted between two calls', async () => {
    const folder = createFolder();
    const log = { info() {}, warn() {}, error() {} };
    const start = (port: number) =>
      startBusServer({ store: join(folder, 'bus.db'), host: '127.0.0.1', port, log, writerFile });
    const first = await start(0);
    const session = await open(kind, `${first.listening.url}/mcp`, { 'x-bus-agent': 'ada' });
    const claimed = await session.call('claim_lane', { lane: 'docs' });
    expect(claimed.structuredContent).toMatchObject({ ok: true, lane: { fence: 1 } });
    await first.close();
    const second = await start(first.listening.port);
    onTestFinished(second.close);
    const renewed = await session.call('heartbeat_lane', { lane: 'docs', fence: 1 });
    expect(renewed.structuredContent).toMatchObject({ ok: true, decision: 'heartbeat' });
  });

  it('hears from a call that waits, if it asked to', async () => {
    let post = (_: unknown) => {};
    const { bus } = createScriptedBus({ claimLane: () => new Promise((resolve) => (post = resolve)) });
    const door = createMcpHttp({
      createServer: ({ era }) =>
        createMcpServer({
          ...{ bus, era, version: '1', identity: createFixedIdentity('ada'), log() {} },
          progressIntervalMilliseconds: 5,
        }),
      readBody: (request, response) =>
        new Promise((resolve, reject) =>
          readJson(request, response, 10_000, (refusal, value) =>
            refusal ? reject(refusal) : resolve(value),
          ),
        ),
      log() {},
    });
    const pages = ['POST', 'GET'].map((method) => ({ method, path: '/mcp', handle: door.handle }));
    const { url } = await startPages({ bus, pages, closePages: door.close });
    const session = await open(kind, url);
    const heard: unknown[] = [];
    const onprogress = (progress: unknown) => heard.push(progress);
    const result = session.call('claim_lane', { lane: 'docs', wait_s: 60 }, { onprogress });
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(2));
    post({ ok: true });
    expect((await result).structuredContent).toMatchObject({ ok: true });
    expect(heard[0]).toEqual({ progress: 0.005, total: 60, message: 'waiting for lane docs' });
  });

  it('ends a wait by cancelling it, and can go on calling', async () => {
    const { bus, calls } = createScriptedBus({ readMessages: waitForAbort });
    const { url, log } = await startMcpHttp(bus);
    // Without sessions a client that cancels by a message of its own must say who it is.
    const session = await open(kind, url, { 'x-bus-agent': 'ada' });
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const result = session.call('read_messages', { since_id: 0, wait_s: 300 }, options);
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    controller.abort();
    await expect(result).rejects.toThrow();
    await vi.waitFor(() => expect(calls[0]?.call?.signal?.aborted).toBe(true));
    expect((await session.call('get_bus_status')).structuredContent).toMatchObject({ ok: true });
    expect(log).toEqual([]);
  });

  it('gets what failed as a result, not as an error of the protocol', async () => {
    const { bus } = createScriptedBus({ getBusStatus: () => Promise.reject(new Error('disk sda1 melted')) });
    const { url, log } = await startMcpHttp(bus);
    const session = await open(kind, url);
    const { structuredContent, isError } = await session.call('get_bus_status');
    expect(isError).toBe(true);
    expect(structuredContent).toMatchObject({ error: { type: 'bus_api_error', code: 'internal' } });
    expect(JSON.stringify(structuredContent)).not.toContain('melted');
    expect(log).toMatchObject([{ level: 'warn', message: expect.stringContaining('get_bus_status') }]);
  });
});

describe.each(eras)('a request in $era', ({ headers, meta }) => {
  it('is heard of before its answer is known, if it waits', async () => {
    const { bus } = createScriptedBus({ readMessages: waitForAbort });
    const { port } = await startMcpHttp(bus);
    const body = JSON.stringify(toCall('read_messages', { since_id: 0, wait_s: 300 }, meta));
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/mcp', agent: false });
    for (const [name, value] of Object.entries({ ...headers, 'mcp-name': 'read_messages' }))
      request.setHeader(name, value);
    request.setHeader('content-type', 'application/json');
    request.end(body);
    const response = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve));
    expect(response.headers['content-type']).toBe('text/event-stream');
    expect(response.headers).not.toHaveProperty('mcp-session-id');
    request.destroy();
  });

  it('is forgotten at once when its connection closes, with its place in the queue', async () => {
    const folder = createFolder();
    const engine = await openEngine({ store: join(folder, 'bus.db'), writerFile });
    onTestFinished(async () => {
      await engine.close();
    });
    const { bus } = engine;
    const { port } = await startMcpHttp(bus);
    await bus.claimLane({ lane: 'docs', owner: 'ada' });
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/mcp', agent: false });
    request.on('error', () => {});
    for (const [name, value] of Object.entries({ ...headers, 'mcp-name': 'claim_lane' }))
      request.setHeader(name, value);
    request.setHeader('content-type', 'application/json');
    request.end(JSON.stringify(toCall('claim_lane', { lane: 'docs', owner: 'eve', wait_s: 300 }, meta)));
    const waiting = async () => (await bus.getLane({ lane: 'docs' })).waiting;
    await vi.waitFor(async () => expect(await waiting()).toMatchObject([{ owner: 'eve' }]));
    request.destroy();
    await vi.waitFor(async () => expect(await waiting()).toEqual([]), { timeout: 500, interval: 5 });
  });

  it('reads without the write secret and writes only with it', async () => {
    const { bus, calls } = createScriptedBus();
    const { port } = await startMcpHttp(bus, { writeSecret: 'open sesame' });
    const call = async (name: string, given: object, more: Record<string, string> = {}) => {
      const message = toCall(name, given, meta);
      const answer = await post(port, '/mcp', message, { ...headers, 'mcp-name': name, ...more });
      expect(answer.status).toBe(200);
      return JSON.parse(answer.text.replace(/^event: message\ndata: /, '')).result.structuredContent;
    };
    expect(await call('get_bus_status', {})).toMatchObject({ ok: true });
    const claim = { lane: 'docs', owner: 'ada' };
    const wrongs: Record<string, string>[] = [
      {},
      { 'x-bus-secret': 'sesame' },
      { authorization: 'Bearer o' },
    ];
    for (const wrong of wrongs) {
      const refused = await call('claim_lane', claim, wrong);
      expect(refused).toMatchObject({
        ok: false,
        error: { type: 'bus_api_error', status_code: 401, code: 'unauthorized', tool: 'claim_lane' },
      });
      expect(refused.error.message).toContain('X-Bus-Secret');
      expect(refused.error.message).toContain('Authorization: Bearer');
      expect(JSON.stringify(refused)).not.toContain('open sesame');
    }
    expect(calls.map(({ name }) => name)).toEqual(['getBusStatus']);
    expect(await call('claim_lane', claim, { 'x-bus-secret': 'open sesame' })).toMatchObject({ ok: true });
  });

  it.each([
    ['s3cret-token', 'Bearer s3cret-token'],
    ['s3cret-token', 'bearer  s3cret-token '],
    ['two words', 'Bearer two words'],
  ])('takes the secret %j as %j', async (writeSecret, authorization) => {
    const { bus } = createScriptedBus();
    const { port } = await startMcpHttp(bus, { writeSecret });
    const message = toCall('post_message', { topic: 't', sender: 'ada', body: 'b' }, meta);
    const answer = await post(port, '/mcp', message, {
      ...headers,
      'mcp-name': 'post_message',
      authorization,
    });
    expect(answer.text).toContain('"ok":true');
  });

  it('is refused as part of a batch, and none of the batch is done', async () => {
    const { bus, calls } = createScriptedBus();
    const { port } = await startMcpHttp(bus);
    const call = toCall('claim_lane', { lane: 'docs', owner: 'ada' }, meta);
    const answer = await post(port, '/mcp', [call, { ...call, id: 2 }], headers);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } });
    expect(calls).toEqual([]);
  });
});
