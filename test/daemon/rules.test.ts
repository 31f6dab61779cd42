import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Address, readAddress, removeAddress, writeAddress } from '../../src/daemon/address.ts';
import { checkClock, checkVersion } from '../../src/daemon/bus-checks.ts';
import { decideIdle, type Occupation, untilIdle } from '../../src/daemon/idle.ts';
import { createLogFile } from '../../src/daemon/log-file.ts';
import { readLastLine } from '../../src/daemon/log-lines.ts';
import { checkData, checkNode } from '../../src/daemon/machine-checks.ts';
import { toMismatches } from '../../src/daemon/mismatch.ts';
import { toPlace } from '../../src/daemon/place.ts';
import { readOwnIdentity } from '../../src/daemon/processes.ts';
import { takeStartLock } from '../../src/daemon/starting.ts';
import { decideUpgrade } from '../../src/daemon/upgrade.ts';
import { useFolder } from '../folder.ts';
import { createManualClock } from '../mcp/manual-clock.ts';
import { createScriptedBus } from '../mcp/scripted-bus.ts';

const folder = useFolder();
let fileCount = 0;
const newPath = () => join(folder, `file-${++fileCount}`);

const address: Address = {
  baseUrl: 'http://127.0.0.1:1/api/bus',
  processId: 4242,
  version: '1.2.3',
  startedAt: '2026-01-01T00:00:00.000Z',
  startedBy: 'client',
  token: 'token',
  isSecretArmed: false,
  settings: { BUS_PORT: '8100', BUS_IDLE_EXIT_S: '1800' },
};

describe('a bus that a client started', () => {
  const quiet: Occupation = {
    now: 100_000,
    lastUsedAt: 70_000,
    callsInFlight: 0,
    leaseEndsAt: 0,
    idleMilliseconds: 30_000,
  };

  it('leaves when it was not used for the whole time, and not a millisecond earlier', () => {
    expect(decideIdle(quiet)).toBe('leave');
    expect(decideIdle({ ...quiet, lastUsedAt: 70_001 })).toEqual({ checkAgainMilliseconds: 1 });
  });

  it('stays while a call is under way, however long ago it began', () => {
    expect(decideIdle({ ...quiet, callsInFlight: 1 })).toEqual({ checkAgainMilliseconds: 30_000 });
  });

  it('stays while a lease is live, and for the whole time after it', () => {
    expect(decideIdle({ ...quiet, leaseEndsAt: 105_000 })).toEqual({ checkAgainMilliseconds: 35_000 });
    expect(decideIdle({ ...quiet, leaseEndsAt: 95_000 })).toEqual({ checkAgainMilliseconds: 25_000 });
  });

  it('stays for the whole time after a lease that ended between two looks', async () => {
    const clock = createManualClock();
    const { now, after } = clock.timers;
    const start = Date.parse('2026-01-01T00:00:00Z');
    const leaseMilliseconds = 29 * 60_000;
    const toTime = (milliseconds: number) => new Date(start + milliseconds).toISOString();
    const { bus } = createScriptedBus({
      getBusStatus: () => {
        const left = leaseMilliseconds - now();
        const lane = { expires_at: toTime(leaseMilliseconds), expires_in_s: Math.max(0, left / 1000) };
        const [active_lanes, orphaned_claims] = left > 0 ? [[lane], []] : [[], [lane]];
        return { active_lanes, orphaned_claims, _meta: { ts: toTime(now()) } };
      },
    });
    let isOver = false;
    const use = { callsInFlight: () => 0, lastUsedAt: () => 0 };
    void untilIdle({
      bus,
      use,
      idleSeconds: 1800,
      now,
      setTimer: (look, milliseconds) => void after(milliseconds, look),
    }).then(() => {
      isOver = true;
    });
    await clock.pass(59 * 60 - 1);
    expect(isOver).toBe(false);
    await clock.pass(1);
    expect(isOver).toBe(true);
  });
});

describe('a bus of another version', () => {
  const decide = (own: string, version: string, more: object = {}) =>
    decideUpgrade({ own, bus: { version, startedBy: 'client' }, callsInFlight: 0, ...more });

  it.each([
    ['1.2.3', '1.2.3', 'keep'],
    ['1.2.3', '1.2.4', 'keep'],
    ['1.10.0', '1.9.9', 'replace'],
    ['2.0.0', '1.99.99', 'replace'],
    ['1.0.0', '1.0.0-rc.1', 'replace'],
    ['1.0.0-rc.1', '1.0.0', 'keep'],
    ['1.0.0', 'nightly', 'keep'],
  ])('this is %s, the idle bus %s: %s', (own, version, verdict) => {
    expect(decide(own, version)).toBe(verdict);
  });

  it('is not replaced while somebody calls it', () => {
    expect(decide('2.0.0', '1.0.0', { callsInFlight: 1 })).toBe('replace_when_idle');
  });

  it('is left to the person who started it with serve', () => {
    expect(decide('2.0.0', '1.0.0', { bus: { version: '1.0.0', startedBy: 'serve' } })).toBe('report');
  });
});

describe('the place of a store', () => {
  it('lies beside the file, and is the same for every way to name it', () => {
    const place = toPlace({ store: '/data/a/../bus.db', dataFolder: '/home/data' });
    expect(place).toMatchObject({
      store: '/data/bus.db',
      folder: '/data',
      addressFile: '/data/bus.db.address',
    });
  });

  it('lies in the data folder for a database elsewhere, and tells no password', () => {
    const toPlaceOf = (store: string) => toPlace({ store, dataFolder: '/home/data' });
    const place = toPlaceOf('postgres://ada:hush@db.example/bus?password=hush');
    expect(JSON.stringify(place)).not.toContain('hush');
    expect(place.folder).toBe('/home/data');
    expect(place.addressFile).toBe(toPlaceOf('postgres://ada:other@db.example/bus').addressFile);
    expect(place.addressFile).not.toBe(toPlaceOf('postgres://ada:hush@db.example/bus2').addressFile);
    expect(place.addressFile).toBe(toPlaceOf('POSTGRES://ada:hush@db.example/bus').addressFile);
    for (const unusual of ['postgres://ada:hu/sh@db.example/bus', 'postgres://ada:hu/sh@one:1,two:2/bus']) {
      expect(JSON.stringify(toPlaceOf(unusual))).not.toContain('sh@');
      expect(toPlaceOf(unusual).folder).toBe('/home/data');
    }
  });
});

describe('the address file', () => {
  it('is read by its user alone, whole', () => {
    const file = newPath();
    writeAddress(file, address);
    expect(readAddress(file)).toEqual(address);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([
    '',
    '{',
    '[]',
    'null',
    '{"baseUrl":"http://127.0.0.1:1"}',
    JSON.stringify({ ...address, processId: 0 }),
  ])('that reads %j is none', (text) => {
    const file = newPath();
    writeFileSync(file, text);
    expect(readAddress(file)).toBeUndefined();
  });

  it('is not taken away by a bus that is not the one in it', () => {
    const file = newPath();
    writeAddress(file, address);
    removeAddress(file, { ...address, token: 'another' });
    expect(readAddress(file)).toEqual(address);
    removeAddress(file, address);
    expect(existsSync(file)).toBe(false);
  });
});

describe('the turn to start a bus', () => {
  const toFiles = () => ({ folder, startingFile: newPath() });

  it('is one at a time', () => {
    const files = toFiles();
    const turn = takeStartLock(files, 60_000);
    expect(turn).toBeDefined();
    expect(takeStartLock(files, 60_000)).toBeUndefined();
    turn?.end();
    expect(takeStartLock(files, 60_000)).toBeDefined();
  });

  it('is taken from a process that is gone, and from one that takes too long', () => {
    const gone = toFiles();
    writeFileSync(gone.startingFile, JSON.stringify({ ...readOwnIdentity(), processId: 4_194_305 }));
    expect(takeStartLock(gone, 60_000)).toBeDefined();
    const slow = toFiles();
    writeFileSync(slow.startingFile, JSON.stringify(readOwnIdentity()));
    expect(takeStartLock(slow, 60_000)).toBeUndefined();
    expect(takeStartLock(slow, -1)).toBeDefined();
  });
});

describe('the log', () => {
  it('takes twice its limit of the disk at most, and loses no line at the change', () => {
    const path = newPath();
    const log = createLogFile({ path, bytesMax: 100 });
    for (let line = 0; line < 25; line++) log.write(`line ${line} ${'.'.repeat(20)}\n`);
    expect(statSync(path).size).toBeLessThanOrEqual(130);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(130);
    const text = [`${path}.1`, path].map((file) => readFileSync(file, 'utf8')).join('');
    const last = text.split('\n').map((line) => Number(line.split(' ')[1]));
    expect(last.slice(0, -1)).toEqual([20, 21, 22, 23, 24]);
  });

  it('tells the last thing that was said, in its own words', () => {
    const path = newPath();
    writeFileSync(path, 'before\n');
    const start = statSync(path).size;
    expect(readLastLine(path, start)).toBeUndefined();
    writeFileSync(path, `before\n${JSON.stringify({ level: 50, msg: 'it failed' })}\n`);
    expect(readLastLine(path, start)).toBe('it failed');
    writeFileSync(path, 'before\nError: of the runtime\n');
    expect(readLastLine(path, start)).toBe('Error: of the runtime');
  });
});

describe('what a client was told about the bus', () => {
  const wanted = { isSecretArmed: false, settings: {} };

  it('is compared with what the bus was told, where somebody said something', () => {
    expect(toMismatches(wanted, address)).toEqual([]);
    expect(toMismatches({ ...wanted, settings: { BUS_PORT: '8100' } }, address)).toEqual([]);
    const [sentence] = toMismatches({ ...wanted, settings: { BUS_PORT: '9000' } }, address);
    expect(sentence).toMatch(
      /^BUS_PORT is 9000 here, but the local bus .* was started with 8100: .*bus-mcp down/,
    );
  });

  it('says so when a secret protects nothing', () => {
    const [sentence] = toMismatches({ ...wanted, isSecretArmed: true }, address);
    expect(sentence).toContain('takes every write');
    expect(toMismatches({ ...wanted, isSecretArmed: true }, { ...address, isSecretArmed: true })).toEqual([]);
  });
});

describe('the doctor', () => {
  it('knows which Node.js is too old', () => {
    const marks = ['v20.11.1', 'v18.20.0', 'v20.12.0', 'v24.0.0'].map((version) => checkNode(version).mark);
    expect(marks).toEqual(['fail', 'fail', 'ok', 'ok']);
  });

  it('judges clocks by how exactly they could be compared', () => {
    expect(checkClock(10_000, { askedAt: 9_990, answeredAt: 10_000 }).mark).toBe('ok');
    expect(checkClock(13_000, { askedAt: 9_990, answeredAt: 10_000 })).toMatchObject({ mark: 'warn' });
    expect(checkClock(13_000, { askedAt: 5_000, answeredAt: 15_000 }).mark).toBe('ok');
    const yearsAhead = checkClock(3e11, { askedAt: 9_990, answeredAt: 10_000 });
    expect(yearsAhead).toMatchObject({ mark: 'warn', remedy: expect.stringContaining('--reset-clock') });
  });

  it('tells which of two versions to upgrade', () => {
    expect(checkVersion('1.0.0', '2.0.0').remedy).toContain('bus-mcp down');
    expect(checkVersion('2.0.0', '1.0.0').remedy).toContain('npm install');
  });

  it('finds a folder that cannot be made without making it', () => {
    const file = newPath();
    writeFileSync(file, '');
    const place = toPlace({ store: join(file, 'below', 'bus.db'), dataFolder: folder });
    expect(checkData(toPlace({ store: join(folder, 'new', 'bus.db'), dataFolder: folder })).mark).toBe('ok');
    expect(existsSync(join(folder, 'new'))).toBe(false);
    expect(checkData(place).mark).toBe('fail');
  });
});
