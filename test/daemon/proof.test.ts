import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAddress } from '../../src/daemon/address.ts';
import { createIdentityPage } from '../../src/daemon/identity.ts';
import { createLocalBus } from '../../src/daemon/local-bus.ts';
import { toPlace } from '../../src/daemon/place.ts';
import { createHome, type Home } from './machine.ts';

let home: Home;
const opened: { close(): unknown }[] = [];

beforeEach(() => {
  home = createHome();
});

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
  await home.remove();
});

const message = { topic: 'news', sender: 'ada', body: 'for our bus' };

/** A client that starts nothing and has a secret to lose. */
function open(fallbackUrl?: string) {
  const { database } = home.place;
  const bus = createLocalBus({
    place: toPlace({ store: database, dataFolder: dirname(database) }),
    command: ['/no/such/program'],
    environment: {},
    version: '0.0.1',
    report: () => {},
    writeSecret: 'hush',
    wanted: { isSecretArmed: true, settings: {} },
    mayStart: false,
    fallbackUrl,
  });
  opened.push(bus);
  return bus;
}

/** Something that answers every request in its own way, and remembers what it was sent. */
async function listen(answer: (request: IncomingMessage) => object, port = 0) {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(`${request.method} ${request.url?.split('?')[0]} ${JSON.stringify(request.headers)}`);
    const { status = 200, ...value } = answer(request) as { status?: number };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  opened.push(server);
  return { server, heard, port: (server.address() as AddressInfo).port };
}

function end(server: Server): Promise<unknown> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}

describe('the secret', () => {
  it('is never sent to a bus at the usual address, which cannot prove whose it is', async () => {
    const { heard, port } = await listen(() => ({ status: 401, code: 'unauthorized', detail: 'no secret' }));
    const posting = open(`http://127.0.0.1:${port}/api/bus`).postMessage(message);
    await expect(posting).rejects.toThrow('goes only to a bus that proves to be yours');
    expect(heard).toHaveLength(1);
    expect(heard[0]).not.toContain('hush');
  });

  it('is not sent to a program that came to listen where the bus was a moment ago', async () => {
    const proves = createIdentityPage({ token: 'ours', callsInFlight: () => 0 });
    const first = createServer((request, response) => {
      if (request.url?.startsWith(proves.path)) return proves.handle(request, response);
      response.setHeader('content-type', 'application/json').end('{"id":1}');
    });
    await new Promise<void>((resolve) => first.listen(0, '127.0.0.1', resolve));
    const { port } = first.address() as AddressInfo;
    writeAddress(home.place.address, {
      baseUrl: `http://127.0.0.1:${port}/api/bus`,
      processId: process.pid,
      version: '0.0.1',
      startedAt: '',
      startedBy: 'client',
      token: 'ours',
      isSecretArmed: true,
      settings: {},
    });
    const bus = open();
    expect(await bus.postMessage(message)).toMatchObject({ id: 1 });
    await end(first);
    const { heard } = await listen(() => ({ proof: 'believe me', id: 2 }), port);
    await expect(bus.postMessage(message)).rejects.toMatchObject({ name: 'BusUnreachableError' });
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.filter((request) => !request.startsWith('GET /identity '))).toEqual([]);
    expect(heard.join()).not.toContain('hush');
  });
});

describe('a named store', () => {
  const off = { BUS_MCP_AUTOSTART: '0' };

  it.each([
    ['a flag', (store: string) => ['export', '--store', store], () => ({})],
    ['a variable', () => ['prune', '--keep', '0'], (store: string) => ({ BUS_STORE: store })],
  ])(
    'by %s is that store or an error, and never the bus at the usual address',
    async (_, toWords, toMore) => {
      const store = join(home.folder, 'mine.db');
      const ran = await home.run(toWords(store), { ...off, ...toMore(store) });
      expect(ran.status).toBe(3);
      expect(ran.errorOutput).toContain(`no bus runs for the store ${store}`);
      expect(ran.errorOutput).toContain('start it with: bus-mcp serve');
      expect(ran.output).toBe('');
    },
  );

  it('that has no bus is what the doctor finds wrong', async () => {
    const store = join(home.folder, 'mine.db');
    const { status, output } = await home.run(['doctor', '--store', store], off);
    expect(status).toBe(1);
    expect(output).toMatch(/fail +bus +none runs for .*mine\.db.*start one with: bus-mcp serve/);
  });
});
