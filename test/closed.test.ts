import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { operations } from '../src/contract/contract.ts';
import { readPanelAssets } from '../src/panel/assets.ts';
import { type RunningBus, startBus } from './bus-process.ts';
import { createFolder } from './folder.ts';
import { type Answer, ask, post } from './http/fixtures.ts';
import { runCommand } from './processes.ts';

type Asked = Readonly<{ method: string; path: string; headers?: OutgoingHttpHeaders; body?: object }>;

const stream = { accept: 'text/event-stream' };
const hello = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
const { script, style } = readPanelAssets(new URL('../dist/panel/', import.meta.url));
const mcpHeaders = { accept: 'application/json, text/event-stream' };

/** Everything that the port answers to: the operations of the contract, and the pages beside them. */
const routes: readonly Asked[] = [
  ...operations.map(([, { method, path }]) => ({
    method,
    path: `/api/bus${path.replace('{lane}', 'a').replace('{id}', '1')}`,
    ...(method === 'POST' && { body: {} }),
  })),
  { method: 'GET', path: '/api/bus/events', headers: stream },
  { method: 'GET', path: '/api/bus/openapi.json' },
  { method: 'POST', path: '/mcp', headers: mcpHeaders, body: hello },
  { method: 'GET', path: '/mcp', headers: stream },
  { method: 'DELETE', path: '/mcp' },
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/', headers: { accept: 'text/html' } },
  { method: 'GET', path: `/panel/${script.name}` },
  { method: 'GET', path: `/panel/${style.name}` },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/healthz' },
  { method: 'GET', path: '/identity?challenge=x' },
  { method: 'GET', path: '/nowhere' },
  { method: 'OPTIONS', path: '/api/bus/message' },
];

async function askFor(
  { port }: RunningBus,
  { method, path, headers, body }: Asked,
  more: OutgoingHttpHeaders,
) {
  const type = body && { 'content-type': 'application/json' };
  const text = body && Buffer.from(JSON.stringify(body));
  return ask(port, method, path, { headers: { ...type, ...headers, ...more }, ...(text && { body: text }) });
}

/** A stream has no end, so its head is enough. */
async function headOf(port: number, path: string, more: OutgoingHttpHeaders): Promise<Answer> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const asked = request(
      { port, host: '127.0.0.1', path, headers: { ...stream, ...more }, agent: false },
      (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: '', json: {} });
        asked.destroy();
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

function corsHeadersOf(headers: IncomingHttpHeaders): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control'));
}

describe('a page of another site', () => {
  test('is refused on every route, whether its name is in Host or in Origin, and so is one of another port', async () => {
    const bus = await startBus();
    const foreign: readonly OutgoingHttpHeaders[] = [
      { host: `evil.test:${bus.port}` },
      { host: `127.0.0.1.evil.test:${bus.port}` },
      { origin: 'https://evil.test' },
      { origin: `http://evil.test:${bus.port}` },
      { origin: 'http://127.0.0.1:3000' },
      { origin: `http://localhost:${bus.port}` },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    ];
    for (const route of routes) {
      for (const headers of foreign) {
        const about = `${route.method} ${route.path} ${JSON.stringify(headers)}`;
        const answer = await askFor(bus, route, headers);
        expect([about, answer.status, answer.json.code]).toEqual([about, 403, 'forbidden_origin']);
        expect(corsHeadersOf(answer.headers)).toEqual([]);
      }
      for (const headers of [{}, { origin: bus.url }]) {
        const isStream = route.headers === stream;
        const answer = await (isStream ? headOf(bus.port, route.path, headers) : askFor(bus, route, headers));
        expect([route.path, answer.status]).not.toEqual([route.path, 403]);
        if (route.path.startsWith('/panel/')) expect([route.path, answer.status]).toEqual([route.path, 200]);
        expect([route.path, corsHeadersOf(answer.headers)]).toEqual([route.path, []]);
      }
    }
  }, 60_000);

  test('cannot write with what a form or a beacon can send, for the bus takes JSON and nothing else', async () => {
    const bus = await startBus();
    const message = JSON.stringify({ topic: 't', sender: 's', body: 'b' });
    const call = { name: 'post_message', arguments: JSON.parse(message) };
    const toolCall = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      undefined,
    ];
    for (const type of types) {
      const headers = type === undefined ? {} : { 'content-type': type };
      const plain = await ask(bus.port, 'POST', '/api/bus/message', { headers, body: Buffer.from(message) });
      expect([type, plain.status, plain.json.code]).toEqual([type, 422, 'invalid_input']);
      const tool = await ask(bus.port, 'POST', '/mcp', {
        headers: { ...mcpHeaders, ...headers },
        body: Buffer.from(toolCall),
      });
      expect([type, tool.status]).toEqual([type, 415]);
    }
    const log = await ask(bus.port, 'GET', '/api/bus/messages');
    expect(log.json).toMatchObject({ messages: [], cursor: 0 });
  });

  test('is let in when it was named as a whole, for a proxy in front of the bus', async () => {
    const bus = await startBus({ environment: { BUS_ALLOWED_HOSTS: 'https://panel.example:8443' } });
    const statusOf = async (origin: string) =>
      (await ask(bus.port, 'GET', '/api/bus/status', { headers: { origin } })).status;
    expect(await statusOf('https://panel.example:8443')).toBe(200);
    expect(await statusOf('https://panel.example')).toBe(403);
  });
});

describe('the write secret', () => {
  const secret = 'xyzzy-5-swordfish';
  const previous = 'plugh-6-swordfish';

  test('is in no argument, no output, no error, no metric and no page, wherever it comes from', async () => {
    for (const source of ['variable', 'file']) {
      const home = createFolder();
      const path = join(home, 'secret');
      writeFileSync(path, `${secret}\n${previous}\n`, { mode: 0o600 });
      const given: Record<string, string> =
        source === 'file' ? { BUS_WRITE_SECRET_FILE: path } : { BUS_WRITE_SECRET: `${secret}\n${previous}` };
      const bus = await startBus({ home, environment: given });
      const answers = await useSecret(bus);
      const commands = await useCommands(bus, given);
      const told = [
        bus.wrote(),
        readFileSync(`/proc/${bus.pid}/cmdline`, 'utf8'),
        readFileSync(join(home, 'bus.db.address'), 'utf8'),
        ...answers.flatMap(({ text, headers }) => [text, JSON.stringify(headers)]),
        ...commands,
      ].join('\n');
      expect(told).toContain('unauthorized');
      for (const part of [secret, previous, 'xyzzy', 'plugh']) expect(told).not.toContain(part);
      await bus.end();
    }
  }, 60_000);

  /** Right, wrong and missing secrets, in every way there is to give one, and every page that tells about the bus. */
  async function useSecret(bus: RunningBus): Promise<Answer[]> {
    const message = { topic: 't', sender: 's', body: 'b' };
    const call = { name: 'post_message', arguments: message };
    const toolCall = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call };
    const writes: Promise<Answer>[] = [];
    for (const given of [secret, previous, `${secret}x`, `${previous} `, secret.toUpperCase(), undefined]) {
      const header = given === undefined ? {} : { 'x-bus-secret': given };
      const bearer = given === undefined ? {} : { authorization: `Bearer ${given}` };
      writes.push(
        post(bus.port, '/api/bus/message', message, header),
        post(bus.port, '/api/bus/message', '{ no JSON', header),
        post(bus.port, '/mcp', toolCall, { ...mcpHeaders, ...header }),
        post(bus.port, '/mcp', toolCall, { ...mcpHeaders, ...bearer }),
      );
    }
    const statuses = (await Promise.all(writes)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThan(0);
    const reads = routes
      .filter(({ method, headers }) => method === 'GET' && headers !== stream)
      .map((route) => askFor(bus, route, { 'x-bus-secret': secret }));
    return Promise.all([...writes, ...reads]);
  }

  /** What people type beside the bus, with the right secret and with another one. */
  async function useCommands(
    { port, environment }: RunningBus,
    given: Record<string, string>,
  ): Promise<string[]> {
    const there = { ...environment, BUS_MCP_BASE_URL: `http://127.0.0.1:${port}/api/bus` };
    const post = ['post-message', 't', 'b', '--json'];
    const runs = [
      runCommand(post, { ...there, ...given }),
      runCommand(post, { ...there, BUS_WRITE_SECRET: `${secret}-wrong`, BUS_WRITE_SECRET_FILE: '' }),
      runCommand(['doctor', '--json'], { ...there, ...given }),
      runCommand(['get-bus-status'], { ...there, ...given }),
      runCommand(['serve', '--port', 'x'], { ...there, ...given }),
      runCommand(['serve'], {
        ...there,
        ...given,
        BUS_WRITE_SECRET: `${secret}\nb\nc`,
        BUS_WRITE_SECRET_FILE: '',
      }),
      runCommand(['setup', 'claude-code', '--print'], { ...there, ...given }),
    ];
    const ended = await Promise.all(runs);
    expect(ended[0]).toMatchObject({ status: 0 });
    expect(ended[1]).toMatchObject({ status: 1 });
    return ended.map(({ output, errorOutput }) => output + errorOutput);
  }

  test('may be two while clients change over: the bus accepts either, a client sends the first', async () => {
    const home = createFolder();
    const path = join(home, 'secret');
    writeFileSync(path, `${secret}\n${previous}\n`, { mode: 0o600 });
    const rotating = await startBus({ home, environment: { BUS_WRITE_SECRET_FILE: path } });
    const message = { topic: 't', sender: 's', body: 'b' };
    const statusOf = async ({ port }: RunningBus, given: string) =>
      (await post(port, '/api/bus/message', message, { 'x-bus-secret': given })).status;
    expect([await statusOf(rotating, secret), await statusOf(rotating, previous)]).toEqual([200, 200]);
    for (const wrong of [`${secret}\t${previous}`, `${secret}${previous}`, secret.slice(1)])
      expect(await statusOf(rotating, wrong)).toBe(401);
    await rotating.end();

    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    const rotated = await startBus({ home, environment: { BUS_WRITE_SECRET_FILE: path } });
    expect([await statusOf(rotated, secret), await statusOf(rotated, previous)]).toEqual([200, 401]);
    const there = { ...rotated.environment, BUS_MCP_BASE_URL: `${rotated.url}/api/bus` };
    const client = { BUS_WRITE_SECRET_FILE: '', BUS_WRITE_SECRET: `${secret}\n${previous}` };
    expect(await runCommand(['post-message', 't', 'b'], { ...there, ...client })).toMatchObject({
      status: 0,
    });
  }, 60_000);

  test('is demanded before the bus listens where other machines can reach it', async () => {
    const run = (more: Record<string, string>) => startBus({ environment: { BUS_HOST: '0.0.0.0', ...more } });
    await expect(run({})).rejects.toThrow(
      'BUS_HOST "0.0.0.0" can be reached from other machines, and no BUS_WRITE_SECRET is set',
    );
    await expect(startBus({ flags: ['--host', '::'] })).rejects.toThrow('no BUS_WRITE_SECRET is set');
    const bus = await run({ BUS_WRITE_SECRET: secret });
    expect((await post(bus.port, '/api/bus/message', {})).status).toBe(401);
  }, 60_000);

  test('is handed on to a bus that a client starts, by the file that holds it', async () => {
    const home = createFolder();
    const path = join(home, 'secret');
    writeFileSync(path, secret, { mode: 0o600 });
    const environment = {
      PATH: process.env.PATH ?? '',
      HOME: home,
      XDG_DATA_HOME: join(home, 'data'),
      BUS_PORT: '0',
    };
    const given = { ...environment, BUS_WRITE_SECRET_FILE: path };
    const posted = await runCommand(['post-message', 't', 'b'], given);
    expect(posted).toMatchObject({ status: 0 });
    const address = JSON.parse(readFileSync(join(home, 'data/bus-mcp/bus.db.address'), 'utf8'));
    try {
      const variables = readFileSync(`/proc/${address.processId}/environ`, 'utf8');
      expect(variables).toContain(path);
      expect(variables).not.toContain(secret);
      expect((await runCommand(['post-message', 't', 'b'], environment)).status).toBe(1);
    } finally {
      await runCommand(['down'], given);
    }
  }, 60_000);
});
