import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startedVariable } from '../../src/app/local.ts';
import { writeAddress } from '../../src/daemon/address.ts';
import { findBus } from '../../src/daemon/find.ts';
import { createIdentityPage } from '../../src/daemon/identity.ts';
import { createLocalBus, type LocalBus, type LocalBusOptions } from '../../src/daemon/local-bus.ts';
import { toPlace } from '../../src/daemon/place.ts';
import { commandFile } from '../build.ts';
import { waitUntil } from '../suite/ask.ts';
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

const toHomePlace = () => toPlace({ store: home.place.database, dataFolder: dirname(home.place.database) });

function open(more: Partial<LocalBusOptions> = {}, variables: Record<string, string> = {}): LocalBus {
  const bus = createLocalBus({
    place: toHomePlace(),
    command: [process.execPath, commandFile, 'serve'],
    environment: { ...home.environment, ...variables, [startedVariable]: '1' },
    version: '0.0.1',
    report: (sentence) => told.push(sentence),
    wanted: { isSecretArmed: false, settings: {} },
    mayStart: true,
    ...more,
  });
  opened.push(bus);
  return bus;
}

async function callsInFlight(): Promise<number> {
  const finding = await findBus(toHomePlace());
  return finding.state === 'running' ? finding.callsInFlight : -1;
}

async function waitForCalls(count: number): Promise<void> {
  while ((await callsInFlight()) !== count) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('an older bus', () => {
  const newer = { version: '99.0.0' };

  it('that nobody uses is replaced, and what it kept is still there', async () => {
    await home.run(['claim-lane', 'docs', '--owner', 'ada']);
    const [old] = home.buses();
    const { state, lane } = await open(newer).getLane({ lane: 'docs' });
    expect({ state, owner: lane.owner }).toEqual({ state: 'held', owner: 'ada' });
    expect(home.buses()).toHaveLength(1);
    expect(home.buses()).not.toContain(old);
    expect(told[0]).toMatch(/older than this 99\.0\.0: it is idle and is replaced/);
  });

  it('is replaced once when several notice it in the same instant', async () => {
    await home.run(['get-bus-status']);
    await Promise.all([1, 2, 3, 4].map(() => open(newer).getBusStatus({})));
    expect(home.buses()).toHaveLength(1);
  });

  it('is used and not replaced while somebody waits there', async () => {
    const waiter = home.start(['read-messages', '--since-id', '0', '--wait-s', '30', '--json']);
    await waitUntil(() => home.address());
    await waitForCalls(1);
    const buses = home.buses();
    await open(newer).postMessage({ topic: 'news', sender: 'ada', body: 'for the one who waits' });
    expect(await waiter.ended).toBe(0);
    expect(waiter.output()).toContain('for the one who waits');
    expect(home.buses()).toEqual(buses);
    expect(told).toEqual([expect.stringContaining('replaced when nobody uses it')]);
  });

  it('that was started with serve is left to whoever did that', async () => {
    const serve = home.start(['serve']);
    await waitUntil(() => home.address());
    await open(newer).getBusStatus({});
    expect(home.buses()).toEqual([serve.child.pid]);
    expect(told).toEqual([expect.stringContaining('start its serve command again')]);
  });
});

describe('a client of the local bus', () => {
  it('finds the next one when its own is gone', async () => {
    const bus = open();
    const first = await bus.postMessage({ topic: 'news', sender: 'ada', body: 'one' });
    process.kill(home.buses()[0] as number, 'SIGKILL');
    const second = await bus.postMessage({ topic: 'news', sender: 'ada', body: 'two' });
    expect([first.id, second.id]).toEqual([1, 2]);
    expect(told).toHaveLength(2);
  });

  it('waits for a bus that was halted, and starts no second one beside it', async () => {
    await home.run(['get-bus-status']);
    const buses = home.buses();
    process.kill(buses[0] as number, 'SIGSTOP');
    const status = open().getBusStatus({});
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    process.kill(buses[0] as number, 'SIGCONT');
    expect((await status)._meta.message_count).toBe(0);
    expect(home.buses()).toEqual(buses);
    expect(readFileSync(home.place.log, 'utf8')).not.toContain('already has a bus');
  });

  it('goes on waiting when the bus is killed under it and comes back', async () => {
    const probe = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const BUS_PORT = String((probe.address() as AddressInfo).port);
    await new Promise((resolve) => probe.close(resolve));
    const waiting = open({}, { BUS_PORT }).readMessages({ since_id: 0, wait_s: 60 });
    await waitUntil(() => home.address());
    await waitForCalls(1);
    process.kill(home.buses()[0] as number, 'SIGKILL');
    await home.run(['post-message', 'news', 'you are not forgotten', '--sender', 'ada'], { BUS_PORT });
    expect((await waiting).messages).toMatchObject([{ body: 'you are not forgotten' }]);
  });

  it('repeats a write elsewhere under the same key, so that it is done once', async () => {
    const keys: unknown[] = [];
    const stranger = await openFakeBus('first', (request, response) => {
      keys.push(request.headers['idempotency-key']);
      response.end('a bus no more');
    });
    const bus = open();
    stranger.enter();
    await openFakeBus('second', (request, response) => {
      keys.push(request.headers['idempotency-key']);
      response.setHeader('content-type', 'application/json').end('{"id":1}');
    }).then((next) => {
      // The first is forgotten as soon as it has been asked to write.
      stranger.onWrite(next.enter);
    });
    await bus.postMessage({ topic: 'news', sender: 'ada', body: 'once' });
    expect(keys).toEqual([expect.any(String), keys[0]]);
  });

  it('is not held by a start when it gives up', async () => {
    const signal = AbortSignal.timeout(20);
    const command = [process.execPath, '-e', 'setTimeout(() => {}, 1000)'];
    const startedAt = performance.now();
    await expect(open({ command }).getBusStatus({}, { signal })).rejects.toThrow('due to timeout');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('is told at once when the program that should be the bus fails', async () => {
    const command = [process.execPath, '-e', 'console.error("out of luck"); process.exit(7)'];
    await expect(open({ command }).getBusStatus({})).rejects.toMatchObject({
      name: 'BusUnreachableError',
      message: expect.stringContaining('could not be started: out of luck'),
    });
    await expect(open({ command: ['/no/such/program'] }).getBusStatus({})).rejects.toThrow(
      '/no/such/program',
    );
  });
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Something that can prove to be the local bus, and answers writes in a way of its own. */
async function openFakeBus(token: string, write: Handler) {
  let onWrite = () => {};
  const page = createIdentityPage({ token, callsInFlight: () => 0 });
  const server = createServer((request, response) => {
    if (request.url?.startsWith(page.path)) return page.handle(request, response);
    onWrite();
    write(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(server);
  const { port } = server.address() as AddressInfo;
  return {
    enter: () =>
      writeAddress(home.place.address, {
        baseUrl: `http://127.0.0.1:${port}/api/bus`,
        processId: process.pid,
        version: '0.0.1',
        startedAt: '',
        startedBy: 'client',
        token,
        isSecretArmed: false,
        settings: {},
      }),
    onWrite(listener: () => void) {
      onWrite = listener;
    },
  };
}
