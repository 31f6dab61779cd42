import { describe, expect, test } from 'vitest';
import { ask, createScriptedBus, post, sendRaw, startServer } from './fixtures.ts';

const message = { topic: 't', sender: 's', body: 'b' };

describe('who may ask', () => {
  test.each([
    ['localhost', 200],
    ['LOCALHOST:8100', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:8100', 200],
    ['evil.test', 403],
    ['evil.test:8100', 403],
    ['localhost.evil.test', 403],
    ['127.0.0.1.evil.test', 403],
  ])('Host %j is answered with %i', async (host, status) => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await ask(port, 'GET', '/api/bus/status', { headers: { host } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.json.code).toBe('forbidden_origin');
  });

  test('refuses a request without Host', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const text = await sendRaw(port, 'GET /api/bus/status HTTP/1.0\r\n\r\n');
    expect(text).toContain('HTTP/1.1 403');
    expect(text).toContain('forbidden_origin');
  });

  test.each([
    ['http://localhost:3000', 200],
    ['http://[::1]:8100', 200],
    ['https://evil.test', 403],
    ['http://localhost.evil.test', 403],
    ['null', 403],
    ['localhost', 403],
    ['http://loc\u00cb\u00b8host', 403],
  ])('Origin %s is answered with %i, and never with a CORS header', async (origin, status) => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await ask(port, 'GET', '/api/bus/status', { headers: { origin } });
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('answers a preflight with a refusal and no CORS header', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const headers = { origin: 'http://localhost', 'access-control-request-method': 'POST' };
    const answer = await ask(port, 'OPTIONS', '/api/bus/message', { headers });
    expect(answer.status).toBe(404);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('accepts other hosts when told to', async () => {
    const { port } = await startServer({
      bus: createScriptedBus(),
      allowedHosts: ['Bus.Example:8100', '::1'],
    });
    const status = async (host: string) =>
      (await ask(port, 'GET', '/api/bus/status', { headers: { host } })).status;
    expect([await status('bus.example'), await status('[::1]'), await status('localhost')]).toEqual([
      200, 200, 403,
    ]);
  });

  test('demands the secret on writes only, before it reads the body', async () => {
    const bus = createScriptedBus();
    const { port, log } = await startServer({ bus, writeSecret: 'hüsh' });
    const missing = await post(port, '/api/bus/message', '{ no JSON');
    expect([missing.status, missing.json.code]).toEqual([401, 'unauthorized']);
    const wrong = await post(port, '/api/bus/message', message, { 'x-bus-secret': 'hush' });
    expect([wrong.status, wrong.json.detail]).toEqual([401, expect.stringContaining('secret is wrong')]);
    const right = { 'x-bus-secret': Buffer.from('hüsh').toString('latin1') };
    expect((await post(port, '/api/bus/message', message, right)).status).toBe(200);
    expect((await ask(port, 'GET', '/api/bus/status')).status).toBe(200);
    expect(bus.seen.map(({ name }) => name)).toEqual(['postMessage', 'getBusStatus']);
    expect(JSON.stringify([missing, wrong, log.entries])).not.toMatch(/hüsh|'hush'/);
  });

  test('checks the host before the secret', async () => {
    const { port } = await startServer({ bus: createScriptedBus(), writeSecret: 'hush' });
    expect((await post(port, '/api/bus/message', message, { host: 'evil.test' })).status).toBe(403);
  });
});
