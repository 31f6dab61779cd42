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
    'Origin %s, asking %j, is answered with %i, and with a CORS header only if it is listed',
    async (origin, asked, status) => {
      const allowedHosts = ['localhost', 'bus.example', 'https://panel.example:8443'];
      const { port } = await startServer({ bus: createScriptedBus(), allowedHosts });
      const answer = await ask(port, 'GET', '/api/bus/status', { headers: { ...asked, origin } });
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.json.code).toBe('forbidden_origin');
      const isListed = allowedHosts.includes(origin);
      expect(answer.headers['access-control-allow-origin']).toBe(isListed ? origin : undefined);
    },
  );

  test.each([
    [{}, 200],
    [{ referer: 'http://localhost:8100/' }, 200],
    [{ referer: 'https://panel.example/x' }, 200],
    [{ referer: 'http://evil.test/page' }, 403],
    [{ referer: 'http://localhost:3000/' }, 403],
    [{ referer: 'no address' }, 403],
    [{ referer: 'http://evil.test/', 'sec-fetch-site': 'same-origin' }, 200],
  ])('without Origin, %j is answered with %i', async (more, status) => {
    const allowedHosts = ['localhost', 'https://panel.example'];
    const { port } = await startServer({ bus: createScriptedBus(), allowedHosts });
    const headers = { host: 'localhost:8100', ...more };
    const answer = await ask(port, 'GET', '/api/bus/status', { headers });
    expect(answer.status).toBe(status);
    // Following a link to the page of the bus is fine.
    expect((await ask(port, 'GET', '/', { headers })).json.code).toBe('not_found');
  });

  test('refuses a request with two Host headers, whichever of them is right', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    for (const [one, other] of [
      ['localhost', 'evil.test'],
      ['localhost', 'localhost'],
    ]) {
      const request = `GET /api/bus/status HTTP/1.1\r\nhost: ${one}\r\nHOST: ${other}\r\nconnection: close\r\n\r\n`;
      expect(await sendRaw(port, request)).toMatch(/^HTTP\/1\.1 (400|403) /);
    }
  });

  test('does not start with a listed address that has no origin, because such pages all send null', async () => {
    for (const entry of ['file://localhost', 'chrome-extension://abc', 'data://x']) {
      const options = { bus: createScriptedBus(), allowedHosts: ['localhost', entry] };
      await expect(startServer(options)).rejects.toThrow('only origins that begin with http:// or https://');
    }
  });

  test('names in the refusal the origin to list', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const detail = async (origin: string) =>
      (await ask(port, 'GET', '/api/bus/status', { headers: { origin } })).json.detail;
    expect(await detail('http://localhost:6274')).toContain(
      'with http://localhost:6274 in BUS_ALLOWED_HOSTS',
    );
    expect(await detail('null')).not.toContain('BUS_ALLOWED_HOSTS');
  });

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

  test('answers the preflight of a listed origin, and refuses every other without a CORS header', async () => {
    const listed = 'http://localhost:6274';
    const { port } = await startServer({ bus: createScriptedBus(), allowedHosts: ['127.0.0.1', listed] });
    const preflight = (origin: string, path: string) => {
      const asked = 'content-type,x-bus-secret,mcp-protocol-version';
      const more = { 'access-control-request-method': 'POST', 'access-control-request-headers': asked };
      return ask(port, 'OPTIONS', path, { headers: { origin, ...more } });
    };
    const corsOf = ({ headers }: Awaited<ReturnType<typeof preflight>>) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control')));
    const allowed = await preflight(listed, '/api/bus/message');
    expect(allowed.status).toBe(204);
    expect(corsOf(allowed)).toMatchObject({
      'access-control-allow-origin': listed,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type,x-bus-secret,mcp-protocol-version',
    });
    for (const [origin, path, status] of [
      [`http://127.0.0.1:${port}`, '/api/bus/message', 404],
      ['http://localhost:3000', '/api/bus/message', 403],
      [listed, '/healthz', 404],
    ] as const) {
      const answer = await preflight(origin, path);
      expect([answer.status, corsOf(answer)]).toEqual([status, {}]);
    }
  });

  test('lets the page of a listed origin read answers and refusals alike', async () => {
    const origin = 'http://localhost:6274';
    const { port } = await startServer({
      bus: createScriptedBus(),
      allowedHosts: ['127.0.0.1', origin],
      writeSecret: 'hush',
    });
    const read = await ask(port, 'GET', '/api/bus/status', { headers: { origin } });
    const refused = await post(port, '/api/bus/message', message, { origin });
    const tooLarge = await post(port, '/api/bus/message', message, {
      origin,
      'x-bus-secret': 'hush',
      'content-length': 10_000_000,
    });
    expect([read.status, refused.status, tooLarge.status]).toEqual([200, 401, 413]);
    for (const { headers } of [read, refused, tooLarge])
      expect(headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
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
