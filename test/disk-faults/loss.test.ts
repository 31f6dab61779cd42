import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noProgress } from '../../src/care/progress.ts';
import { verifyStore } from '../../src/care/verify.ts';
import type { Client } from '../../src/http/client.ts';
import { refusalToStart, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { provideNode } from '../package/node-versions.ts';
import { postMany, refusalOf, until } from '../suite/ask.ts';

/** SQLite opens each of these without a word, and its integrity check finds nothing wrong. */
const losses: readonly (readonly [string, (store: string, olderCopy: string) => void])[] = [
  ['a deleted write-ahead log', (store) => rmSync(`${store}-wal`)],
  ['a write-ahead log that was cut short', (store) => truncateSync(`${store}-wal`, sizeOf(store, 0.5))],
  ['flipped bytes in the middle of the log', (store) => flipBytes(`${store}-wal`, sizeOf(store, 0.3))],
  [
    'an older copy put in its place',
    (store, olderCopy) => {
      rmSync(`${store}-wal`);
      copyFileSync(olderCopy, store);
    },
  ],
];

const [early, late] = [20, 80];

/** A bus that was killed: what it acknowledged is in the file and in its write-ahead log. */
async function createKilledBus(node = process.execPath) {
  const folder = createFolder();
  const store = join(folder, 'bus.db');
  const olderCopy = join(folder, 'older.db');
  const first = await startBus({ store, node });
  await postMany(first.client, early);
  await first.end();
  copyFileSync(store, olderCopy);
  const second = await startBus({ store, node });
  await postMany(second.client, late / 2);
  for (const owner of ['ada', 'bob', 'eve']) {
    await second.client.claimLane({ lane: 'feeds', owner });
    await second.client.releaseLane({ lane: 'feeds', owner });
  }
  const { lane } = await second.client.claimLane({ lane: 'feeds', owner: 'ada' });
  await postMany(second.client, late / 2);
  await second.end('SIGKILL');
  return { store, olderCopy, fence: lane.fence };
}

async function lastIdOf(client: Client): Promise<number> {
  return (await client.readMessages({ limit: 1 })).messages[0]?.id ?? 0;
}

describe.each(losses)('%s', (_, lose) => {
  test('keeps the bus from starting, and says how much is gone and what to do', async () => {
    const { store, olderCopy, fence } = await createKilledBus();
    lose(store, olderCopy);
    const said = await refusalToStart({ store });
    const [, gone, found] =
      /: (\d+) messages and \d+ events are missing \(it ends at message (\d+)/.exec(said) ?? [];
    expect(Number(gone)).toBeGreaterThan(0);
    expect(Number(gone) + Number(found)).toBe(early + late);
    for (const part of ['bus-mcp restore', '--accept-loss']) expect(said).toContain(part);
    expect(await refusalToStart({ store }), 'refusing changes nothing').toBe(said);

    const bus = await startBus({ store, flags: ['--accept-loss'] });
    expect(await lastIdOf(bus.client), 'the sentence counted right').toBe(Number(found));
    const { messages } = await bus.client.readMessages({ since_id: 0, limit: 500 });
    expect(messages.map(({ id }) => id)).toEqual(
      Array.from({ length: Number(found) }, (_, place) => place + 1),
    );
    const next = await bus.client.postMessage({ topic: 't', sender: 's', body: 'on' });
    expect(next.id, 'no id means two things').toBe(early + late + 1);
    const { lane } = await bus.client.getLane({ lane: 'feeds' });
    const grant = await bus.client.claimLane({ lane: 'feeds', owner: lane.owner ?? 'ada' });
    expect(grant.lane.fence, 'no fence means two things').toBeGreaterThan(fence);
    const other = await bus.client.claimLane({ lane: 'never-claimed-as-far-as-is-known', owner: 'kay' });
    expect(other.lane.fence).toBeGreaterThan(fence);
    await bus.end();

    const again = await startBus({ store });
    expect(await lastIdOf(again.client), 'it has to be accepted once only').toBe(early + late + 1);
    await again.end();
    const { ok, checks } = await verifyStore(store, noProgress);
    expect(checks.find(({ name }) => name === 'messages')?.finding).toContain(
      `known to be lost: ${Number(found) + 1} to ${early + late}`,
    );
    expect(ok).toBe(true);
  });
});

/** The drivers of the two differ: one of them closes a connection at once, and closing folds the log into the file. */
test.each([20, 24] as const)(
  'a start that is refused leaves everything as it is, on Node.js %i',
  async (version) => {
    const node = provideNode(version);
    const { store } = await createKilledBus(node);
    flipBytes(`${store}-wal`, sizeOf(store, 0.5));
    const before = hashesOf(store);
    expect(await refusalToStart({ store, node })).toMatch(/\d+ messages and \d+ events are missing/);
    expect(hashesOf(store)).toEqual(before);
  },
  150_000,
);

test('a holder from before the loss is told from the one who is known to have held the lane', async () => {
  const store = join(createFolder(), 'bus.db');
  const first = await startBus({ store });
  const { lane: known } = await first.client.claimLane({ lane: 'feeds', owner: 'ada' });
  await first.end();
  const second = await startBus({ store });
  await second.client.releaseLane({ lane: 'feeds', owner: 'ada' });
  const { lane: lost } = await second.client.claimLane({ lane: 'feeds', owner: 'bob' });
  await second.end('SIGKILL');
  rmSync(`${store}-wal`);

  const bus = await startBus({ store, environment: { BUS_ACCEPT_LOSS: '1' } });
  for (const { owner, fence } of [known, lost]) {
    const stale = await refusalOf(bus.client.heartbeatLane({ lane: 'feeds', owner, fence }));
    expect(stale.code, `${owner} with fence ${fence}`).toBe('stale_fence');
  }
  const { decision, lane } = await bus.client.claimLane({ lane: 'feeds', owner: 'ada' });
  expect([decision, lane.fence]).toEqual(['renew', lost.fence + 1]);
});

test('a renewal that is lost is missed like a message, and can be accepted too', async () => {
  const store = join(createFolder(), 'bus.db');
  const first = await startBus({ store });
  await first.client.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 3 });
  await first.end();
  const second = await startBus({ store });
  const { lane } = await second.client.heartbeatLane({ lane: 'feeds', owner: 'ada', lease_s: 3600 });
  await second.end('SIGKILL');
  rmSync(`${store}-wal`);
  expect(await refusalToStart({ store })).toMatch(
    /no message and no event is missing, but other changes are, such as renewals of leases \(.*--accept-loss/,
  );

  const bus = await startBus({ store, flags: ['--accept-loss'] });
  expect(bus.said()).toContain('a loss was accepted: no message and no event is missing');
  const found = await bus.client.getLane({ lane: 'feeds' });
  expect(found.fence, 'nobody else was granted it').toBe(lane.fence);
  await bus.end();
  await startBus({ store });
});

test('a health check that is lost is no loss', async () => {
  const store = join(createFolder(), 'bus.db');
  const bus = await startBus({ store });
  expect((await fetch(`${bus.url}/healthz`)).status).toBe(200);
  await bus.end('SIGKILL');
  rmSync(`${store}-wal`);
  await startBus({ store });
});

test('a loss that is accepted is told, and so is one that was accepted beforehand', async () => {
  const { store } = await createKilledBus();
  rmSync(`${store}-wal`);
  const accepting = { store, environment: { BUS_ACCEPT_LOSS: '1' } };
  const bus = await startBus(accepting);
  expect(bus.said()).toMatch(/a loss was accepted: 80 messages and \d+ events are missing/);
  await bus.end();
  const again = await startBus(accepting);
  expect(again.said()).toContain('unset it, or every later loss is accepted as well');
});

describe('a mark', () => {
  test.each([
    ['that is garbage', 'garbage\n'],
    ['that is empty', ''],
  ])('%s keeps the bus from starting, until somebody accepts it', async (_, content) => {
    const { store } = await createKilledBus();
    writeFileSync(`${store}.mark`, content);
    rmSync(`${store}-wal`);
    const said = await refusalToStart({ store });
    for (const part of [`${store}.mark cannot be read`, 'bus-mcp restore', '--accept-loss'])
      expect(said).toContain(part);
    const bus = await startBus({ store, flags: ['--accept-loss'] });
    expect(bus.said()).toContain('a loss was accepted: its mark');
    expect(await lastIdOf(bus.client)).toBe(early);
    await bus.end();
    const again = await startBus({ store });
    expect(again.said()).not.toContain('mark');
  });

  test('that is not there is told, and created again', async () => {
    const { store } = await createKilledBus();
    rmSync(`${store}.mark`);
    const bus = await startBus({ store });
    expect(bus.said()).toContain(`the database ${store} has no mark beside it`);
    await bus.end('SIGKILL');
    const again = await startBus({ store });
    expect(again.said()).not.toContain('mark');
    expect(await lastIdOf(again.client)).toBe(early + late);
  });

  test('that is removed while the bus runs is created again', async () => {
    const store = join(createFolder(), 'bus.db');
    const bus = await startBus({ store });
    rmSync(`${store}.mark`);
    await postMany(bus.client, 3);
    const isMarked = () =>
      existsSync(`${store}.mark`) && readFileSync(`${store}.mark`, 'utf8').includes('"messageId":3');
    await until('the mark tells of what was posted', isMarked);
    await bus.end('SIGKILL');
    rmSync(`${store}-wal`);
    expect(await refusalToStart({ store })).toMatch(/3 messages and 3 events are missing/);
  });
});

test('nothing is refused when a process was killed and all of it is there', async () => {
  const { store } = await createKilledBus();
  const bus = await startBus({ store });
  expect(await lastIdOf(bus.client)).toBe(early + late);
});

test('a mark of an earlier version, which knows no time, still tells', async () => {
  const { store } = await createKilledBus();
  const slots = [0, 1].map((messageId) => {
    const text = JSON.stringify({ messageId: messageId * 100, eventId: messageId * 107, fence: 4 });
    const checksum = createHash('sha256').update(text).digest('hex').slice(0, 16);
    return `${`${checksum} ${text}`.padEnd(255)}\n`;
  });
  writeFileSync(`${store}.mark`, slots.join(''));
  const bus = await startBus({ store });
  await bus.end('SIGKILL');
  writeFileSync(`${store}.mark`, slots.join(''));
  rmSync(`${store}-wal`);
  expect(await refusalToStart({ store })).toMatch(/80 messages and 87 events are missing/);
});

test('a mark of which one half is torn still tells', async () => {
  const { store } = await createKilledBus();
  const mark = readFileSync(`${store}.mark`, 'utf8');
  const newer = [mark.slice(0, 256), mark.slice(256)].findIndex((half) =>
    half.includes(`"messageId":${early + late}`),
  );
  const torn = Buffer.from(mark);
  torn.fill('#', newer * 256 + 40, newer * 256 + 60);
  writeFileSync(`${store}.mark`, torn);
  rmSync(`${store}-wal`);
  expect(await refusalToStart({ store })).toMatch(/\d+ messages and \d+ events are missing/);
});

function hashesOf(store: string): string[] {
  return [store, `${store}-wal`, `${store}.mark`].map((path) =>
    createHash('sha256').update(readFileSync(path)).digest('hex'),
  );
}

function sizeOf(store: string, share: number): number {
  return Math.floor(readFileSync(`${store}-wal`).length * share);
}

function flipBytes(path: string, at: number): void {
  const bytes = readFileSync(path);
  for (let index = at; index < at + 8; index += 1) bytes[index] = (bytes[index] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}
