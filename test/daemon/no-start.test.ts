import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DoctorOptions, examine } from '../../src/daemon/doctor.ts';
import { createLocalBus } from '../../src/daemon/local-bus.ts';
import { toPlace } from '../../src/daemon/place.ts';
import { createHome, type Home } from './machine.ts';

let home: Home;
let told: string[];
const opened: { close(): unknown }[] = [];

beforeEach(() => {
  home = createHome();
  told = [];
});

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await home.remove();
});

const off = { BUS_MCP_AUTOSTART: '0' };
const nowhere = 'http://127.0.0.1:9/api/bus';
const toHomePlace = () => toPlace({ store: home.place.database, dataFolder: dirname(home.place.database) });

/** A client that starts nothing: the program that would be the bus is none. */
function open({ fallbackUrl = nowhere, version = '0.0.1' } = {}) {
  const bus = createLocalBus({
    place: toHomePlace(),
    command: ['/no/such/program'],
    environment: {},
    version,
    report: (sentence) => told.push(sentence),
    wanted: { isSecretArmed: false, settings: {} },
    mayStart: false,
    fallbackUrl,
  });
  opened.push(bus);
  return bus;
}

describe('a client that may start nothing', () => {
  it('finds the local bus wherever it listens', async () => {
    await home.run(['get-bus-status']);
    await home.run(['claim-lane', 'docs', '--owner', 'ada'], off);
    const { status, output, errorOutput } = await home.run(['get-lane', 'docs', '--json'], off);
    expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
    expect(JSON.parse(output)).toMatchObject({ state: 'held', lane: { owner: 'ada' } });
  });

  it('calls the usual address where none was started, and the local bus once there is one', async () => {
    const bus = open();
    await expect(bus.getBusStatus({})).rejects.toMatchObject({ name: 'BusUnreachableError', url: nowhere });
    await home.run(['get-bus-status']);
    expect((await bus.getBusStatus({}))._meta.message_count).toBe(0);
    await home.run(['down']);
    await expect(bus.getBusStatus({})).rejects.toMatchObject({ name: 'BusUnreachableError' });
    expect(home.buses()).toEqual([]);
  });

  it('is answered by a bus at the usual address that nobody wrote down', async () => {
    const elsewhere = createHome();
    await elsewhere.run(['get-bus-status']);
    await elsewhere.run(['post-message', 'news', 'hello', '--sender', 'ada']);
    const bus = open({ fallbackUrl: elsewhere.address()?.baseUrl ?? '' });
    expect((await bus.getBusStatus({}))._meta.message_count).toBe(1);
    await elsewhere.remove();
  });

  it('names a bus that does not answer, and goes nowhere else with what is meant for it', async () => {
    await home.run(['get-bus-status']);
    const [bus] = home.buses() as [number];
    process.kill(bus, 'SIGSTOP');
    await expect(open().getBusStatus({})).rejects.toThrow(
      `process ${bus} is the bus, but it does not respond`,
    );
  });

  it('leaves an older bus where it is, and says how to upgrade it', async () => {
    await home.run(['get-bus-status']);
    const buses = home.buses();
    await open({ version: '99.0.0' }).getBusStatus({});
    expect(home.buses()).toEqual(buses);
    expect(told).toEqual([expect.stringContaining('older than this 99.0.0: any command without')]);
  });
});

describe('a doctor where nothing may be started', () => {
  it('looks where calls go: at the local bus', async () => {
    await home.run(['get-bus-status']);
    const { status, output } = await home.run(['doctor', '--json'], off);
    const marks = JSON.parse(output).checks.map(({ name, mark }: { name: string; mark: string }) => [
      name,
      mark,
    ]);
    expect(status).toBe(0);
    expect(Object.fromEntries(marks)).toMatchObject({ process: 'ok', bus: 'ok', lanes: 'ok' });
  });

  it('or, where none runs, at the usual address', async () => {
    const elsewhere = createHome();
    await elsewhere.run(['get-bus-status']);
    const { baseUrl = '' } = elsewhere.address() ?? {};
    const found = await look({ fallbackUrl: baseUrl });
    expect(found.process).toMatchObject({ mark: 'ok', finding: expect.stringContaining(baseUrl) });
    expect(found.bus).toMatchObject({ mark: 'ok' });
    await elsewhere.remove();
  });

  it('and says what starts a bus where there is none either', async () => {
    const { bus } = await look({ fallbackUrl: nowhere });
    expect(bus).toMatchObject({
      mark: 'fail',
      finding: expect.stringContaining(nowhere),
      remedy: 'start one with: bus-mcp serve',
    });
  });
});

async function look(more: Partial<DoctorOptions>) {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as AddressInfo;
  free.close();
  const checks = await examine({
    place: toHomePlace(),
    host: '127.0.0.1',
    port,
    version: '0.0.1',
    timeoutSeconds: 5,
    autostart: false,
    nodeVersion: process.version,
    loadSqlite: () => 'node:sqlite',
    findObstacle: () => undefined,
    ...more,
  });
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}
