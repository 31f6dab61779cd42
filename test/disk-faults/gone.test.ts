import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noProgress } from '../../src/care/progress.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { bodiesOf, refusalToStart, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { provideNode } from '../package/node-versions.ts';
import { postMany, refusalOf } from '../suite/ask.ts';

describe('a file that goes away under the bus', () => {
  test.each([
    ['the database', ''],
    ['its write-ahead log', '-wal'],
  ])('%s: refuses writes and says so, reads on, and goes on when it is back', async (_, part) => {
    const folder = createFolder();
    const store = join(folder, 'bus.db');
    const bus = await startBus({ store });
    await postMany(bus.client, 3);
    renameSync(`${store}${part}`, join(folder, 'away'));
    const refused = await refusalOf(bus.client.postMessage({ topic: 't', sender: 's', body: 'lost?' }));
    expect([refused.status, refused.code]).toEqual([503, 'unavailable']);
    expect(refused.detail).toContain(`the file bus.db${part} of the database was deleted or replaced`);
    expect((await fetch(`${bus.url}/healthz`)).status).toBe(503);
    expect(await bodiesOf(bus.client)).toEqual(['1', '2', '3']);

    writeFileSync(`${store}${part}`, 'another file in its place');
    expect((await refusalOf(bus.client.claimLane({ lane: 'a', owner: 'ada' }))).code).toBe('unavailable');

    renameSync(join(folder, 'away'), `${store}${part}`);
    expect(await bus.client.postMessage({ topic: 't', sender: 's', body: '4' })).toMatchObject({ id: 4 });
    await bus.end();
    const again = await startBus({ store });
    expect(await bodiesOf(again.client)).toEqual(['1', '2', '3', '4']);
  });

  test('its lock: refuses writes, because another bus may have taken it', async () => {
    const store = join(createFolder(), 'bus.db');
    const bus = await startBus({ store });
    await postMany(bus.client, 3);
    rmSync(`${store}.lock`);
    const other = await startBus({ store });
    const refused = await refusalOf(bus.client.postMessage({ topic: 't', sender: 's', body: 'twice?' }));
    expect([refused.status, refused.code]).toEqual([503, 'unavailable']);
    expect(refused.detail).toContain('so another bus may have the database (stop this one');
    await other.client.postMessage({ topic: 't', sender: 's', body: '4' });
    await bus.end();
    await other.end();
    const again = await startBus({ store });
    expect(await bodiesOf(again.client)).toEqual(['1', '2', '3', '4']);
  });

  /** The drivers of the two differ in when a connection is closed, which is when what is left would be folded. */
  test.each([20, 24] as const)(
    'its write-ahead log that was cut short: refuses writes, and spoils nothing more, on Node.js %i',
    async (version) => {
      const node = provideNode(version);
      const store = join(createFolder(), 'bus.db');
      const bus = await startBus({ store, node });
      await postMany(bus.client, 20);
      truncateSync(`${store}-wal`, 8_000);
      // Without a key: to look for that of another request is to read what is gone.
      const refused = await fetch(`${bus.url}/api/bus/message`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ topic: 't', sender: 's', body: '21' }),
      });
      expect(refused.status).toBe(503);
      expect(await refused.text()).toContain('the file bus.db-wal of the database lost its end');
      const before = readFileSync(store);
      await bus.end();
      expect(readFileSync(store)).toEqual(before);
      expect(await refusalToStart({ store })).toMatch(/messages and \d+ events are missing/);
      const accepting = await startBus({ store, flags: ['--accept-loss'] });
      await accepting.end();
      expect((await verifyStore(store, noProgress)).ok).toBe(true);
    },
    150_000,
  );

  test('does not start over in silence when it was deleted for good', async () => {
    const store = join(createFolder(), 'bus.db');
    const bus = await startBus({ store });
    await postMany(bus.client, 3);
    rmSync(store);
    await refusalOf(bus.client.postMessage({ topic: 't', sender: 's', body: '4' }));
    await bus.end();
    for (const part of ['', '-wal', '-shm']) rmSync(`${store}${part}`, { force: true });
    expect(await refusalToStart({ store })).toMatch(/3 messages and 3 events are missing/);
  });
});
