import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../src/app/compose.ts';
import { toBusError } from '../src/contract/errors.ts';
import { type CommitMeasurement, createStoreHealth } from '../src/store/health.ts';
import type { Notice } from '../src/store/notice.ts';
import { writerFile } from './build.ts';
import { startBus } from './bus-process.ts';
import { createFolder } from './folder.ts';
import { refusalOf, until } from './suite/ask.ts';
import { type StoreSource, stores } from './suite/stores.ts';

describe.each(stores)('the commits of $name that are measured', (store) => {
  let source: StoreSource;
  let engine: Awaited<ReturnType<typeof openEngine>>;
  const commits: CommitMeasurement[] = [];

  beforeAll(async () => {
    source = await store.start();
    const location = await source.freshLocation();
    const observeCommit = (commit: CommitMeasurement) => void commits.push(commit);
    engine = await openEngine({ store: location, writerFile, observeCommit });
  });
  afterAll(async () => {
    await engine.close();
    await source.stop();
  });

  test('are those that wrote something, and no refusals', async () => {
    const { bus } = engine;
    await bus.postMessage({ topic: 't', sender: 's', body: 'b' });
    await bus.claimLane({ lane: 'feeds', owner: 'ada' });
    expect(commits).toEqual([
      expect.objectContaining({ turns: 1, seconds: expect.any(Number) }),
      expect.objectContaining({ turns: 1, seconds: expect.any(Number) }),
    ]);
    for (let place = 0; place < 3; place += 1) {
      expect((await refusalOf(bus.claimLane({ lane: 'feeds', owner: 'eve' }))).code).toBe('lane_held');
    }
    await refusalOf(bus.postMessage({ topic: 't', sender: 's', body: 'b', lane: 'feeds', fence: 99 }));
    expect(commits).toHaveLength(2);
  });
});

test('the metrics count who waits: for a lane, for a message, for any event', async () => {
  const bus = await startBus({ store: join(createFolder(), 'bus.db') });
  const { client, url } = bus;
  const gone = new AbortController();
  const headers = { accept: 'text/event-stream' };
  const stream = await fetch(`${url}/api/bus/events`, { headers, signal: gone.signal });
  expect(stream.status).toBe(200);
  const reading = client.readMessages({ since_id: 0, wait_s: 60 });
  await client.claimLane({ lane: 'feeds', owner: 'ada' });
  const claiming = client.claimLane({ lane: 'feeds', owner: 'eve', wait_s: 60 });
  const counts = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return ['bus_waiters', 'bus_readers_waiting', 'bus_event_streams'].map((name) =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]),
    );
  };
  await until('all of them wait', async () => (await counts()).join() === '1,2,1');
  await client.releaseLane({ lane: 'feeds', owner: 'ada' });
  await client.postMessage({ topic: 't', sender: 's', body: 'b' });
  await Promise.all([reading, claiming]);
  gone.abort();
  await until('nobody waits', async () => (await counts()).join() === '0,0,0');
});

describe('a store that fails', () => {
  const full = toBusError('unavailable', 'the disk is full; nothing was kept: repeat the call in 5 s', {
    retry_after_s: 5,
  });

  test('is told once with its reason, and once more when it works again, and each failure is counted', () => {
    const told: Notice[] = [];
    let failures = 0;
    const health = createStoreHealth({
      notify: (notice) => told.push(notice),
      observeFailure: () => {
        failures += 1;
      },
    });
    for (let place = 0; place < 5; place += 1) health.commit({ turns: 1, seconds: 0, failure: full });
    health.commit({ turns: 1, seconds: 0 });
    health.commit({ turns: 1, seconds: 0 });
    health.readFailed(full);
    health.readWorked();
    expect(failures).toBe(6);
    expect(told.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'the store cannot write: it refuses writes'],
      ['info', 'the store can write again'],
      ['warn', 'the store cannot read some of its data: it refuses reads that need it'],
    ]);
    expect(told[0]?.data).toEqual({ reason: 'the disk is full' });
  });
});
