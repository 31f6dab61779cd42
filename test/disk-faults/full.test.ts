import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backUp } from '../../src/care/backup.ts';
import { noProgress } from '../../src/care/progress.ts';
import { BusError } from '../../src/contract/errors.ts';
import type { Client } from '../../src/http/client.ts';
import { commandFile } from '../build.ts';
import { type RunningBus, refusalToStart, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { refusalOf, until } from '../suite/ask.ts';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;
if (!canLimit) console.warn('skipped: a file that may not grow (no prlimit here: install util-linux)');
const canMount = tryToMount();
if (!canMount) console.warn('skipped: a file system that is full (this user may not mount one)');

describe.skipIf(!canLimit)('a file that may not grow any more', () => {
  test('is told to writers, while reads go on; with room again the bus goes on by itself', async () => {
    const folder = createFolder();
    // A write beyond the limit is an error instead of a signal that ends the process.
    const script = 'trap "" XFSZ; ulimit -S -f 600; exec "$0" "$@"';
    const bus = await startBus({ store: join(folder, 'bus.db'), under: ['bash', '-c', script] });
    await proveRecovery(bus, {
      store: join(folder, 'bus.db'),
      makeRoom: () => execFileSync('prlimit', ['--pid', String(bus.process.pid), '--fsize=unlimited']),
    });
  });
});

describe.skipIf(!canMount)('a file system that is full', () => {
  test('is told to writers, while reads go on; with room again the bus goes on by itself', async () => {
    const folder = mountSmall(createFolder(), '3m');
    const bus = await startBus({ store: join(folder, 'bus.db') });
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(toFreeBytes(folder) - 600_000));
    const refusal = await proveRecovery(bus, {
      store: join(folder, 'bus.db'),
      makeRoom: () => rmSync(ballast),
    });
    expect(refusal.detail).toContain('the disk is full');
  });
});

describe.skipIf(!canMount)('a bus that is started on a disk without room', () => {
  test.each([
    ['was stopped when it was full', 'SIGTERM', true],
    ['was killed when it was full', 'SIGKILL', true],
    ['was stopped before it was full', 'SIGTERM', false],
  ] as const)(
    'reads what is there when it %s, and goes on by itself with room again',
    async (_, signal, isEarly) => {
      const folder = mountSmall(createFolder(), '3m');
      const store = join(folder, 'bus.db');
      const first = await startBus({ store });
      const acknowledged: string[] = [];
      for (let place = 0; place < 10; place += 1) {
        acknowledged.push(toBody(place, 20_000));
        await first.client.postMessage({ topic: 't', sender: 's', body: acknowledged[place] ?? '' });
      }
      if (isEarly) {
        fillUp(folder);
        await refusalOf(first.client.postMessage({ topic: 't', sender: 's', body: toBody(10, 20_000) }));
      }
      await first.end(signal);
      fillUp(folder);

      const bus = await startBus({ store });
      expect(await readBodies(bus.client)).toEqual(acknowledged);
      const refused = await refusalOf(
        bus.client.postMessage({ topic: 't', sender: 's', body: toBody(10, 20_000) }),
      );
      expect(refused.detail).toContain('the disk is full');
      expect((await bus.client.getBusStatus({}))._meta.message_count).toBe(10);
      rmSync(join(folder, 'ballast'));
      expect(await bus.client.postMessage({ topic: 't', sender: 's', body: 'on' })).toMatchObject({ id: 11 });
      await until('clients can find it', () => existsSync(`${store}.address`));
      await bus.end();
    },
  );

  test('says what to do when it may not write at all', async () => {
    const folder = mountSmall(createFolder(), '3m');
    const store = join(folder, 'bus.db');
    const first = await startBus({ store });
    await first.end();
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    expect(await refusalToStart({ store })).toMatch(
      /cannot be written \(EROFS\): mount its file system so that it can be written, or name another file/,
    );
  });
});

describe.skipIf(!canMount)('a disk without room for a copy', () => {
  test('is named by backup and export, which leave nothing behind', async () => {
    const folder = createFolder();
    const store = join(folder, 'bus.db');
    const bus = await startBus({ store });
    await Promise.all(
      Array.from({ length: 20 }, () =>
        bus.client.postMessage({ topic: 't', sender: 's', body: 'x'.repeat(20_000) }),
      ),
    );
    const small = mountSmall(folder, '100k');
    await expect(backUp({ store, file: join(small, 'backup.db') }, noProgress)).rejects.toThrow(
      `the file ${join(small, 'backup.db')} cannot be written (ENOSPC): make room, or name one on another disk`,
    );
    const file = join(small, 'export.jsonl');
    const exporting = spawnSync(
      process.execPath,
      [commandFile, 'export', '--output', file, '--base-url', `${bus.url}/api/bus`],
      { env: { PATH: process.env.PATH, HOME: folder }, encoding: 'utf8' },
    );
    expect(exporting.stderr).toContain(`the file ${file} cannot be written (ENOSPC): make room`);
    expect(exporting.status).toBe(1);
    expect(readdirSync(small)).toEqual([]);
  });
});

/** A file system of its own with so much room. */
function mountSmall(parent: string, size: string): string {
  const folder = join(parent, 'small');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** To the last byte. */
function fillUp(folder: string): void {
  const ballast = openSync(join(folder, 'ballast'), 'a');
  try {
    for (;;) writeSync(ballast, Buffer.alloc(4_096));
  } catch {
    // There is no room any more.
  } finally {
    closeSync(ballast);
  }
}

/** Fills what there is with messages, makes room, and holds what is there afterwards against what was acknowledged. */
async function proveRecovery(
  bus: RunningBus,
  { store, makeRoom }: Readonly<{ store: string; makeRoom: () => void }>,
): Promise<BusError> {
  const { client } = bus;
  const { lane } = await client.claimLane({ lane: 'feeds', owner: 'ada' });
  const acknowledged: string[] = [];
  await postUntilRefused(client, acknowledged, 20_000);
  // There is room for little things, and health does not come and go with them.
  for (let times = 0; times < 3; times += 1) {
    await client.heartbeatLane({ lane: 'feeds', owner: 'ada' }).catch(() => {});
    expect(await readHealth(bus)).toBe(503);
  }
  expect(bus.said(), 'nor does the log').not.toContain('the store keeps what is written again');
  // What is small may still have found room.
  const refusal = await postUntilRefused(client, acknowledged, 1);
  expect([refusal.status, refusal.code]).toEqual([503, 'unavailable']);
  expect(refusal.data).toEqual({ retry_after_s: expect.any(Number) });
  expect(refusal.detail).toContain('nothing was kept');
  expect(acknowledged.length).toBeGreaterThan(3);

  expect(await readBodies(client)).toEqual(acknowledged);
  expect((await client.getLane({ lane: 'feeds' })).lane.owner).toBe('ada');
  expect((await refusalOf(client.heartbeatLane({ lane: 'feeds', owner: 'ada' }))).code).toBe('unavailable');
  expect(await readHealth(bus)).toBe(503);

  makeRoom();
  await until('the bus takes a message again', async () => {
    const body = toBody(acknowledged.length, 20_000);
    const isKept = await client.postMessage({ topic: 't', sender: 's', body }).then(
      () => true,
      () => false,
    );
    if (isKept) acknowledged.push(body);
    return isKept;
  });
  expect(await readHealth(bus)).toBe(200);
  await client.heartbeatLane({ lane: 'feeds', owner: 'ada', fence: lane.fence });
  await until('the log has it all', () => bus.said().includes('the store can write again'));
  for (const message of ['the store cannot write', 'the store can write again'])
    expect(bus.said().split(message), message).toHaveLength(2);
  expect(bus.said()).toMatch(/"requestId":"[^"]+",.*"msg":"a call was refused/);
  await bus.end('SIGKILL');

  const again = await startBus({ store });
  expect(await readBodies(again.client)).toEqual(acknowledged);
  await again.end();
  return refusal;
}

async function readHealth({ url }: RunningBus): Promise<number> {
  return (await fetch(`${url}/healthz`)).status;
}

async function postUntilRefused(
  client: Client,
  acknowledged: string[],
  characters: number,
): Promise<BusError> {
  for (;;) {
    const body = toBody(acknowledged.length, characters);
    try {
      const { id } = await client.postMessage({ topic: 't', sender: 's', body });
      acknowledged.push(body);
      expect(id, 'ids have no gaps').toBe(acknowledged.length);
    } catch (error) {
      if (error instanceof BusError) return error;
      throw error;
    }
  }
}

async function readBodies(client: Client): Promise<string[]> {
  const { messages, has_more } = await client.readMessages({ since_id: 0, limit: 500 });
  expect(has_more).toBe(false);
  expect(messages.map(({ id }) => id)).toEqual(messages.map((_, index) => index + 1));
  return messages.map(({ body }) => body);
}

function toBody(place: number, characters: number): string {
  return `${place} ${'x'.repeat(characters)}`;
}

function toFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function tryToMount(): boolean {
  const folder = `/tmp/bus-disk-mount-${process.pid}`;
  mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
  if (mounted) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return mounted;
}
