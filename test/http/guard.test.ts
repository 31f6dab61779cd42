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
    ['localhost:8100@evil.test', 403],
    ['localhost/evil.test', 403],
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

  const own = { host: 'localhost:8100' };
  test.each([
    ['http://localhost:8100', own, 200],
    ['https://localhost:8100', own, 200],
    ['https://bus.example', { host: 'bus.example' }, 200],
    ['https://panel.example:8443', own, 200],
    ['http://localhost:3000', own, 403],
    ['http://localhost', own, 403],
    ['http://127.0.0.1:8100', own, 403],
    ['http://[::1]:8100', own, 403],
    ['https://evil.test', own, 403],
    ['http://localhost.evil.test:8100', own, 403],
    ['https://panel.example', own, 403],
    ['http://panel.example:8443', own, 403],
    ['http://localhost:8100/', own, 403],
    ['http://user@localhost:8100', own, 403],
    ['null', own, 403],
    ['localhost:8100', own, 403],
    ['http://loc\u00cb\u00b8host:8100', own, 403],
  ])(
    'Origin %s, asking %j, is answered with %i, and never with a CORS header',
    async (origin, asked, status) => {
      const allowedHosts = ['localhost', 'bus.example', 'https://panel.example:8443'];
      const { port } = await startServer({ bus: createScriptedBus(), allowedHosts });
      const answer = await ask(port, 'GET', '/api/bus/status', { headers: { ...asked, origin } });
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.json.code).toBe('forbidden_origin');
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    },
  );

  test.each([
    ['none', {}, 200],
    ['same-origin', {}, 200],
    ['cross-site', {}, 403],
    ['same-site', {}, 403],
    ['cross-site', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, 200],
    ['cross-site', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 403],
  ])('a browser that says %s %j, and no Origin, is answered with %i', async (site, more, status) => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await ask(port, 'GET', '/api/bus/status', {
      headers: { 'sec-fetch-site': site, ...more },
    });
    expect(answer.status).toBe(status);
  });

  test('answers a preflight with a refusal and no CORS header', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    for (const [origin, status] of [
      [`http://127.0.0.1:${port}`, 404],
      ['http://localhost:3000', 403],
    ] as const) {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const answer = await ask(port, 'OPTIONS', '/api/bus/message', { headers });
      expect(answer.status).toBe(status);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('accepts other hosts when told to, and the name of an origin that was named as a whole', async () => {
    const { port } = await startServer({
      bus: createScriptedBus(),
      allowedHosts: ['Bus.Example:8100', '::1', 'https://panel.example:8443'],
    });
    const status = async (host: string) =>
      (await ask(port, 'GET', '/api/bus/status', { headers: { host } })).status;
    const hosts = ['bus.example', '[::1]', 'panel.example', 'localhost'];
    expect(await Promise.all(hosts.map(status))).toEqual([200, 200, 200, 403]);
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

  test('accepts either of two secrets, each on a line, and nothing made of both', async () => {
    const { port } = await startServer({ bus: createScriptedBus(), writeSecret: 'new one\nold one' });
    const status = async (secret: string) =>
      (await post(port, '/api/bus/message', message, { 'x-bus-secret': secret })).status;
    expect([await status('new one'), await status('old one')]).toEqual([200, 200]);
    for (const wrong of ['new one old one', 'new oneold one', 'new', ''])
      expect(await status(wrong)).toBe(401);
  });

  test('checks the host before the secret', async () => {
    const { port } = await startServer({ bus: createScriptedBus(), writeSecret: 'hush' });
    expect((await post(port, '/api/bus/message', message, { host: 'evil.test' })).status).toBe(403);
  });
});
