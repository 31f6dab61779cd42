import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHome, type Home } from './daemon/machine.ts';
import { startMcpServer } from './daemon/mcp-server.ts';
import { waitUntil } from './suite/ask.ts';

let home: Home;
const servers: { close(): unknown }[] = [];

beforeEach(() => {
  home = createHome();
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await home.remove();
});

/** Takes a port until the test is over. */
async function takePort(
  server = createTcpServer((socket) => socket.on('error', () => {}).end('220 no bus\r\n')),
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

function post(body: string, more?: NodeJS.ProcessEnv) {
  return home.run(['post-message', 'news', body, '--sender', 'ada', '--json'], more);
}

async function readBodies(): Promise<string[]> {
  const { output } = await home.run(['read-messages', '--json']);
  return JSON.parse(output).messages.map(({ body }: { body: string }) => body);
}

describe('a call without a bus', () => {
  it('starts one, says so once, and is answered', async () => {
    const first = await home.run(['get-bus-status', '--json']);
    expect(first).toMatchObject({ status: 0 });
    expect(first.errorOutput).toMatch(
      /^bus-mcp: started the local bus \(process \d+\) at http:\/\/127\.0\.0\.1:/,
    );
    expect(first.errorOutput).toContain(home.place.log);
    const second = await home.run(['get-bus-status', '--json']);
    expect(second).toMatchObject({ status: 0, errorOutput: '' });
    expect(home.buses()).toEqual([home.address()?.processId]);
  });

  it('starts one and not ten when ten MCP servers are started in the same instant', async () => {
    const servers = Array.from({ length: 10 }, () => startMcpServer(home));
    const results = await Promise.all(
      servers.map(({ call }, index) => call('post_message', { topic: 'news', body: `from ${index}` })),
    );
    expect(results.map(({ ok }) => ok)).toEqual(Array(10).fill(true));
    expect(new Set(results.map(({ id }) => id)).size).toBe(10);
    const counts = await Promise.all(servers.map(({ call }) => call('get_bus_status')));
    expect(counts.map(({ _meta }) => _meta)).toEqual(
      Array(10).fill(expect.objectContaining({ message_count: 10 })),
    );
    expect(home.buses()).toEqual([home.address()?.processId]);
    expect(readFileSync(home.place.log, 'utf8').match(/the bus listens/g)).toHaveLength(1);
    for (const { child } of servers) child.stdin.end();
    await Promise.all(servers.map(({ ended }) => ended));
  });

  it('starts one and not ten when ten commands come in the same instant', async () => {
    const calls = Array.from({ length: 10 }, () => home.start(['get-bus-status', '--json']));
    const statuses = await Promise.all(calls.map(({ ended }) => ended));
    expect(statuses).toEqual(Array(10).fill(0));
    expect(home.buses()).toHaveLength(1);
    expect(readFileSync(home.place.log, 'utf8').match(/the bus listens/g)).toHaveLength(1);
    expect(calls.filter(({ errorOutput }) => errorOutput() !== '')).toHaveLength(1);
  });

  it.each([
    ['BUS_MCP_AUTOSTART=0', { BUS_MCP_AUTOSTART: '0' }],
    ['BUS_MCP_BASE_URL', { BUS_MCP_BASE_URL: 'http://127.0.0.1:9/api/bus' }],
  ])('starts nothing when %s is set', async (_, variables) => {
    await home.run(['get-bus-status'], variables);
    expect(home.buses()).toEqual([]);
    expect(existsSync(dirname(home.place.database))).toBe(false);
  });

  it('is told what starts one when it may not start one itself', async () => {
    const variables = { BUS_MCP_BASE_URL: 'http://127.0.0.1:9/api/bus' };
    const { status, errorOutput } = await home.run(['get-bus-status'], variables);
    expect(status).toBe(3);
    expect(errorOutput).toContain('start a bus with: bus-mcp serve');
  });

  it('says why none could be started, and where to read more', async () => {
    mkdirSync(dirname(home.place.database), { recursive: true });
    writeFileSync(
      home.place.database,
      'this is no database, and long enough to be taken for one'.repeat(100),
    );
    const { status, errorOutput } = await home.run(['get-bus-status']);
    expect(status).toBe(3);
    expect(errorOutput).toMatch(/^the local bus could not be started: .*bus\.db.*its log: .*bus\.db\.log/);
    expect(errorOutput).not.toContain('    at ');
    expect(home.buses()).toEqual([]);
  });
});

describe('a started bus', () => {
  it('leaves when nobody used it for so long, and the next call finds everything again', async () => {
    expect((await post('before', { BUS_IDLE_EXIT_S: '1' })).status).toBe(0);
    const [first] = home.buses();
    await waitUntil(() => home.buses().length === 0);
    expect(home.address()).toBeUndefined();
    expect((await post('after')).status).toBe(0);
    expect(home.buses()).not.toContain(first);
    expect(await readBodies()).toEqual(['after', 'before']);
  });

  it('stays as long as somebody waits', async () => {
    const waiting = ['read-messages', '--since-id', '0', '--wait-s', '3', '--json'];
    const { status, output } = await home.run(waiting, { BUS_IDLE_EXIT_S: '1' });
    expect({ status, messages: JSON.parse(output).messages }).toEqual({ status: 0, messages: [] });
    expect(readFileSync(home.place.log, 'utf8')).not.toContain('stopping');
  });

  it('stays as long as a lane is held, and for its time after that', async () => {
    const claim = ['claim-lane', 'docs', '--owner', 'ada', '--lease-s', '3', '--json'];
    const { output } = await home.run(claim, { BUS_IDLE_EXIT_S: '1' });
    await waitUntil(() => home.buses().length === 0);
    expect(Date.now() - Date.parse(JSON.parse(output).lane.claimed_at)).toBeGreaterThan(4_000);
  });

  it('takes another port when its own is taken, tells by what, and is found there', async () => {
    const port = String(await takePort());
    const first = await home.run(['get-bus-status', '--json'], { BUS_PORT: port });
    expect(first.status).toBe(0);
    expect(first.errorOutput).toContain(`port ${port} is taken by another program`);
    expect(home.address()?.baseUrl).not.toContain(port);
    expect(await home.run(['get-bus-status', '--json'], { BUS_PORT: port })).toMatchObject({
      errorOutput: '',
    });
  });

  it('killed in the middle is started again by the next call', async () => {
    await post('before');
    const [first] = home.buses() as [number];
    process.kill(first, 'SIGKILL');
    await waitUntil(() => !home.buses().includes(first));
    expect(home.address()?.processId).toBe(first);
    expect(await readBodies()).toEqual(['before']);
    expect(home.buses()).toHaveLength(1);
  });

  it('is told by the settings that a client was given, which others are told about', async () => {
    await home.run(['get-bus-status'], { BUS_MAX_LEASE_SECONDS: '60', BUS_WRITE_SECRET: 'hush' });
    const claim = ['claim-lane', 'docs', '--owner', 'ada', '--json'];
    const refused = await home.run(claim, { BUS_MAX_LEASE_SECONDS: '90' });
    expect(refused.status).toBe(1);
    expect(refused.errorOutput).toContain('BUS_MAX_LEASE_SECONDS is 90 here, but');
    expect(refused.output).toContain('was started with a BUS_WRITE_SECRET, and none is set here');
    const granted = await home.run(claim, { BUS_WRITE_SECRET: 'hush' });
    expect(JSON.parse(granted.output)).toMatchObject({ lease_s: 60 });
    const written = [home.place.log, home.place.address].map((file) => readFileSync(file, 'utf8')).join();
    expect(written).not.toContain('hush');
  });
});

describe('an address that was left behind', () => {
  it('is not believed: a stranger who listens there is sent nothing but a challenge', async () => {
    const requests: string[] = [];
    const stranger = createServer((request, response) => {
      requests.push(`${request.method} ${request.url?.split('?')[0]} ${JSON.stringify(request.headers)}`);
      response.setHeader('content-type', 'application/json').end('{"ok":true,"proof":"believe me"}');
    });
    const port = await takePort(stranger);
    await home.run(['get-bus-status']);
    await home.run(['down']);
    const address = {
      baseUrl: `http://127.0.0.1:${port}/api/bus`,
      processId: process.pid,
      version: '0.1.0',
      startedAt: new Date().toISOString(),
      startedBy: 'client',
      token: 'left behind',
      isSecretArmed: true,
      settings: {},
    };
    writeFileSync(home.place.address, JSON.stringify(address));
    expect((await post('for our bus', { BUS_WRITE_SECRET: 'hush' })).status).toBe(0);
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter((request) => !request.startsWith('GET /identity '))).toEqual([]);
    expect(requests.join()).not.toContain('hush');
    expect(await readBodies()).toEqual(['for our bus']);
  });
});

describe('a bus started with serve', () => {
  it('is found by clients, never leaves by itself, and takes its address with it', async () => {
    const serve = home.start(['serve'], { BUS_IDLE_EXIT_S: '1' });
    await waitUntil(() => home.address());
    expect(home.address()?.startedBy).toBe('serve');
    expect(await post('hello')).toMatchObject({ status: 0, errorOutput: '' });
    expect(home.buses()).toEqual([serve.child.pid]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(home.buses()).toEqual([serve.child.pid]);
    serve.child.kill('SIGTERM');
    expect(await serve.ended).toBe(0);
    expect(home.address()).toBeUndefined();
  });
});
