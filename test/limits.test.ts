import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEngine } from '../src/app/compose.ts';
import { limits } from '../src/contract/limits.ts';
import { loadDriver } from '../src/store/sqlite/driver.ts';
import { writerFile } from './build.ts';
import { createFolder } from './folder.ts';
import { refusalOf } from './suite/ask.ts';
import { openStage, type Stage } from './suite/stage.ts';
import { stores } from './suite/stores.ts';

/** An engine over a database into which somebody wrote before it was opened. */
async function openPrepared(sql: string): Promise<Stage> {
  const folder = createFolder();
  const location = join(folder, 'bus.db');
  const maker = await openStage(location);
  await maker.close();
  const database = loadDriver().open(location);
  database.exec(sql);
  database.close();
  const stage = await openStage(location);
  onTestFinished(async () => {
    await stage.close();
  });
  return stage;
}

const toNumbers = (count: number) =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

test('the registry holds so many lanes and refuses one more, until one is released', async () => {
  const { engine, clock } = await openPrepared(
    `${toNumbers(limits.lanesHeldMax - 1)}
     INSERT INTO lanes (lane, fence, owner, claimed_at, heartbeat_at, expires_at, lease_s)
     SELECT 'lane-' || i, 1, 'ada', 0, 0, CASE WHEN i % 2 THEN 1 ELSE 9e15 END, 60 FROM n`,
  );
  const owner = 'bob';
  await engine.claimLane({ lane: 'last', owner });
  const refusal = await refusalOf(engine.claimLane({ lane: 'more', owner }));
  expect([refusal.status, refusal.code, refusal.data?.limit]).toEqual([429, 'too_many', limits.lanesHeldMax]);
  expect(refusal.detail).toContain('release those that are done');
  expect((await refusalOf(engine.claimLane({ lane: 'more', owner, wait_s: 60 }))).code).toBe('too_many');
  expect(await engine.getLane({ lane: 'more' })).toMatchObject({ state: 'free', fence: 0, waiting: [] });

  // What is held already changes hands as ever: renewed, waited for, stolen.
  expect((await engine.claimLane({ lane: 'last', owner })).decision).toBe('renew');
  expect((await engine.claimLane({ lane: 'lane-1', owner })).decision).toBe('steal');
  const waiting = engine.claimLane({ lane: 'lane-2', owner, wait_s: 60 });
  await engine.releaseLane({ lane: 'lane-2', owner: 'ada' });
  expect((await waiting).decision).toBe('claim');
  expect((await refusalOf(engine.claimLane({ lane: 'more', owner }))).code).toBe('too_many');

  await engine.releaseLane({ lane: 'last', owner });
  expect((await engine.claimLane({ lane: 'more', owner })).decision).toBe('claim');
  expect((await refusalOf(engine.claimLane({ lane: 'last', owner }))).code).toBe('too_many');
  expect(clock.alarms()).toEqual([]);
});

test('so many claims wait, whoever their owners are', async () => {
  const { engine, untilWaiting, shutDown } = await openPrepared('');
  await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 3600 });
  const owners = limits.waitersMax / limits.waitersPerOwnerMax;
  const claim = (owner: number) => engine.claimLane({ lane: 'feeds', owner: `owner-${owner}`, wait_s: 60 });
  const waiting = Array.from({ length: limits.waitersMax }, (_, index) => claim(index % owners));
  const outcomes = Promise.allSettled(waiting);
  // One alarm each, and the one of the lease that they wait for.
  await untilWaiting(limits.waitersMax + 1);
  expect((await refusalOf(claim(owners))).data).toEqual({ limit: limits.waitersMax, retry_after_s: 5 });
  await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
  expect((await waiting[0])?.lane.owner).toBe('owner-0');
  // With it went all others of that owner.
  await untilWaiting(limits.waitersMax - limits.waitersPerOwnerMax + 1);
  const next = claim(owners);
  next.catch(() => {});
  await untilWaiting(limits.waitersMax - limits.waitersPerOwnerMax + 2);
  shutDown();
  const ends = (await outcomes).map((outcome) =>
    outcome.status === 'rejected' ? outcome.reason.code : 'served',
  );
  expect(new Set(ends)).toEqual(new Set(['served', 'unavailable']));
});

test('of more first answers than are kept the oldest is forgotten, and the others are still given', async () => {
  const kept = limits.idempotencyKeysKeptMax;
  const inAnHour = Date.UTC(2026, 0, 2, 4, 4, 5);
  const { engine } = await openPrepared(
    `${toNumbers(kept)} INSERT INTO answers SELECT 'key-' || i, 'of another', '{}', ${inAnHour} + i FROM n`,
  );
  const message = { topic: 't', sender: 's', body: 'b' };
  const post = (idempotencyKey: string) => engine.postMessage(message, { idempotencyKey });
  expect((await refusalOf(post('key-1'))).code).toBe('idempotency_conflict');
  const first = await post('new');
  expect((await post('key-1')).id).toBe(2);
  for (const key of ['key-3', `key-${kept}`])
    expect((await refusalOf(post(key))).code).toBe('idempotency_conflict');
  expect(await post('new')).toEqual(first);
}, 60_000);

test.each(stores)('$name loads no more of long messages than a page has room for', async ({ start }) => {
  const source = await start();
  const { bus, store, close } = await openEngine({ store: await source.freshLocation(), writerFile });
  onTestFinished(async () => {
    await close();
    await source.stop();
  });
  await bus.claimLane({ lane: 'feeds', owner: 'ada' });
  for (const body of ['漢'.repeat(10), 'x'.repeat(30), 'y', 'z'.repeat(99), 'w'])
    await bus.postMessage({ topic: 't', sender: 's', body });
  const idsOf = async (rows: Promise<readonly Readonly<{ id: number }>[]>) =>
    (await rows).map(({ id }) => id);
  const limit = 10;
  expect(await idsOf(store.readMessages({ limit, sinceId: 0, bytesMax: 60 }))).toEqual([1, 2, 3]);
  expect(await idsOf(store.readMessages({ limit, sinceId: 1, topic: 't', bytesMax: 0 }))).toEqual([2]);
  expect(await idsOf(store.readMessages({ limit, bytesMax: 1 }))).toEqual([5, 4]);
  expect(await idsOf(store.readMessages({ limit, beforeId: 5, bytesMax: 99 }))).toEqual([4, 3]);
  expect(await idsOf(store.readMessages({ limit: 2, sinceId: 0, bytesMax: 999 }))).toEqual([1, 2]);
  expect(await idsOf(store.readEvents({ limit, sinceId: 0, bytesMax: 29 }))).toEqual([1, 2]);
  expect(await idsOf(store.readEvents({ limit, sinceId: 0, bytesMax: 999 }))).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a page has as many messages as there is room for in it', async () => {
  const { engine } = await openPrepared('');
  const body = 'é'.repeat(50_000);
  for (let count = 0; count < 30; count += 1) await engine.postMessage({ topic: 't', sender: 's', body });
  const fitting = Math.floor(limits.pageBytesMax / (100_000 + 2));
  const limit = limits.pageRowsMax;
  expect((await engine.readMessages({ limit })).messages).toHaveLength(fitting);
  expect((await engine.readMessages({ limit, since_id: 30 - fitting })).has_more).toBe(false);
  expect((await engine.readEvents({ limit })).events).toHaveLength(fitting);
  expect((await engine.readEvents({ limit, since: 30 - fitting })).has_more).toBe(false);
});
