import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBus } from '../../src/daemon/find.ts';
import { toPlace } from '../../src/daemon/place.ts';
import { waitUntil } from '../suite/ask.ts';
import { createHome, type Home } from './machine.ts';

let home: Home;

beforeEach(() => {
  home = createHome();
});

afterEach(() => home.remove());

describe('down', () => {
  it('stops the local bus, and is content when none runs', async () => {
    await home.run(['get-bus-status']);
    const [bus] = home.buses();
    const stopped = await home.run(['down']);
    expect(stopped.status).toBe(0);
    expect(stopped.errorOutput).toContain(`process ${bus}`);
    expect(home.buses()).toEqual([]);
    expect(home.address()).toBeUndefined();
    expect(await home.run(['down'])).toMatchObject({
      status: 0,
      output: expect.stringContaining('no local bus runs'),
    });
  });

  it('stops one that was started with serve, and says that it was', async () => {
    const serve = home.start(['serve']);
    await waitUntil(() => home.address());
    expect((await home.run(['down'])).output).toContain('serve');
    expect(await serve.ended).toBe(0);
  });

  it('says that whoever waits there starts it again', async () => {
    await home.run(['get-bus-status']);
    expect((await home.run(['down'])).errorOutput).not.toContain('at once');
    await home.run(['get-bus-status']);
    const watch = home.start(['watch']);
    const place = toPlace({ store: home.place.database, dataFolder: dirname(home.place.database) });
    for (let calls = 0; calls === 0; ) {
      const finding = await findBus(place);
      calls = finding.state === 'running' ? finding.callsInFlight : 0;
    }
    const { status, errorOutput } = await home.run(['down']);
    expect(status).toBe(0);
    expect(errorOutput).toContain(
      '1 call was under way: a client that goes on waiting, as watch and hold do',
    );
    watch.child.kill('SIGINT');
    await watch.ended;
  });

  it('names a bus that does not answer instead of waiting for it', async () => {
    await home.run(['get-bus-status']);
    const [bus] = home.buses() as [number];
    process.kill(bus, 'SIGSTOP');
    const { status, errorOutput } = await home.run(['down']);
    expect(status).toBe(1);
    expect(errorOutput).toContain(`kill -9 ${bus}`);
  });
});

type Check = Readonly<{ name: string; mark: string; finding: string; remedy?: string }>;

async function examine(more?: NodeJS.ProcessEnv) {
  const { status, output } = await home.run(['doctor', '--json'], more);
  const { ok, checks } = JSON.parse(output) as { ok: boolean; checks: Check[] };
  const marks = Object.fromEntries(checks.map(({ name, mark }) => [name, mark]));
  return { status, ok, marks, checks: Object.fromEntries(checks.map((check) => [check.name, check])) };
}

describe('doctor', () => {
  it('finds a machine without a bus healthy, and starts nothing', async () => {
    const { status, ok, marks } = await examine();
    expect({ status, ok }).toEqual({ status: 0, ok: true });
    expect(marks).toEqual({
      node: 'ok',
      sqlite: 'ok',
      data: 'ok',
      disk: 'ok',
      log: 'ok',
      port: 'ok',
      bus: 'ok',
    });
    expect(home.buses()).toEqual([]);
  });

  it('finds a running bus healthy, and counts lanes and orphans', async () => {
    await home.run(['claim-lane', 'docs', '--owner', 'ada']);
    await home.run(['claim-lane', 'short', '--owner', 'ada', '--lease-s', '1']);
    await home.run(['claim-lane', 'short', '--owner', 'eve', '--lease-s', '1', '--wait-s', '5']);
    const { status, checks } = await examine();
    expect(status).toBe(0);
    expect(checks.lanes?.finding).toMatch(/^(2 held, 0|1 held, 1) orphaned$/);
    expect(checks.version).toMatchObject({ mark: 'ok' });
    expect(checks.clock).toMatchObject({ mark: 'ok' });
  });

  it('prints one line for each check, with what to do where something is wrong', async () => {
    const BUS_MCP_BASE_URL = 'http://127.0.0.1:9/api/bus';
    const { status, output } = await home.run(['doctor'], { BUS_MCP_BASE_URL });
    expect(status).toBe(1);
    const lines = output.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^fail +bus +.*: check BUS_MCP_BASE_URL, or start that bus$/);
  });

  it('tells whether the secret is that of the bus, without writing anything', async () => {
    await home.run(['get-bus-status'], { BUS_WRITE_SECRET: 'hush' });
    expect((await examine({ BUS_WRITE_SECRET: 'hush' })).marks.secret).toBe('ok');
    expect((await examine({ BUS_WRITE_SECRET: 'other' })).marks.secret).toBe('fail');
    expect((await examine()).marks.secret).toBe('fail');
    const { output } = await home.run(['get-bus-status', '--json']);
    expect(JSON.parse(output)._meta).toMatchObject({ message_count: 0, last_event_id: 0 });
  });

  it('finds a database that lost something, or is damaged, on which no bus would start', async () => {
    const posted = await home.run(['post-message', 't', 'b', '--sender', 's']);
    expect(posted.status, posted.errorOutput).toBe(0);
    for (const bus of home.buses()) process.kill(bus, 'SIGKILL');
    const found = await examine();
    expect(found.checks.data?.mark).toBe('ok');
    await waitUntil(() => home.buses().length === 0);
    const store = home.place.database;
    const before = readFileSync(store);
    rmSync(`${store}-wal`);
    const lost = await examine();
    expect([lost.status, lost.checks.data?.mark]).toEqual([1, 'fail']);
    expect(lost.checks.data?.finding).toContain('1 messages and 1 events are missing');
    expect(lost.checks.data?.remedy).toContain('bus-mcp restore');
    expect(readFileSync(store), 'nothing is changed').toEqual(before);
    writeFileSync(store, Buffer.alloc(before.length, 0x55));
    const damaged = await examine();
    expect([damaged.status, damaged.checks.data?.mark]).toEqual([1, 'fail']);
    expect(damaged.checks.data?.finding).toContain('is damaged or not a database');
    rmSync(store);
    expect((await examine()).checks.data?.finding).toContain('1 messages and 1 events are missing');
  });

  it('warns of a secret that protects nothing', async () => {
    await home.run(['get-bus-status']);
    expect((await examine({ BUS_WRITE_SECRET: 'hush' })).marks.secret).toBe('warn');
  });

  it.each([
    ['a bus of other data', { ok: true, version: '9.9.9', store: 'sqlite' }, 'another bus'],
    ['another kind of bus', { active_lanes: [] }, 'another kind of bus'],
    ['no bus', { hello: 'world' }, 'a program that speaks HTTP but is not a bus'],
  ])('tells that the port is taken by %s', async (_, answer, who) => {
    const server = createServer((_request, response) => void response.end(JSON.stringify(answer)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { status, checks } = await examine({ BUS_PORT: String(port) });
    server.close();
    expect({ status, mark: checks.port?.mark }).toEqual({ status: 0, mark: 'warn' });
    expect(checks.port?.finding).toContain(who);
  });

  it('asks the bus elsewhere when one is named', async () => {
    await home.run(['get-bus-status']);
    const { baseUrl: BUS_MCP_BASE_URL = '' } = home.address() ?? {};
    expect((await examine({ BUS_MCP_BASE_URL })).marks).toMatchObject({ node: 'ok', bus: 'ok', lanes: 'ok' });
    await home.run(['down']);
    expect(await examine({ BUS_MCP_BASE_URL })).toMatchObject({
      status: 1,
      marks: { node: 'ok', bus: 'fail' },
    });
  });

  it('finds a bus that does not answer', async () => {
    await home.run(['get-bus-status']);
    process.kill(home.buses()[0] ?? 0, 'SIGSTOP');
    const { status, checks } = await examine();
    expect({ status, mark: checks.process?.mark }).toEqual({ status: 1, mark: 'fail' });
  });
});
