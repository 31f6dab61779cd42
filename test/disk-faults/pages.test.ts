import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { refusalToStart, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { refusalOf, until } from '../suite/ask.ts';

describe('pages that are damaged', () => {
  async function createLog(count: number): Promise<string> {
    const store = join(createFolder(), 'bus.db');
    const bus = await startBus({ store });
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        bus.client.postMessage({ topic: 't', sender: 's', body: `body-${index}.${'x'.repeat(3000)}` }),
      ),
    );
    await bus.end();
    return store;
  }

  test('in the middle of the log are told to whoever reads them; others are served', async () => {
    const store = await createLog(100);
    const bytes = readFileSync(store);
    const page = Math.floor(bytes.indexOf('body-50.') / 4096) * 4096;
    bytes.fill(0x55, page, page + 4096);
    writeFileSync(store, bytes);
    const bus = await startBus({ store });
    const refused = await refusalOf(bus.client.readMessages({ since_id: 0, limit: 500 }));
    expect([refused.status, refused.code]).toEqual([503, 'unavailable']);
    expect(refused.detail).toContain(
      'the database is damaged (check it with bus-mcp verify, and restore a backup)',
    );
    expect((await bus.client.readMessages({ limit: 1 })).messages).toHaveLength(1);
    expect((await bus.client.claimLane({ lane: 'a', owner: 'ada' })).decision).toBe('claim');
    expect(bus.process.exitCode).toBeNull();
  });

  test('of what everybody asks for are told too, counted and logged, and what can be served is', async () => {
    const store = await createLog(20);
    const database = loadDriver().open(store);
    const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'lanes_by_expiry'").get();
    database.close();
    const bytes = readFileSync(store);
    const page = ((row as { rootpage: number }).rootpage - 1) * 4096;
    bytes.fill(0x55, page, page + 4096);
    writeFileSync(store, bytes);
    const bus = await startBus({ store });

    const refused = await refusalOf(bus.client.getBusStatus({}));
    expect([refused.status, refused.code]).toEqual([503, 'unavailable']);
    expect(refused.detail).toContain('the data for this call cannot be read');
    const summary = await fetch(bus.url, { headers: { 'x-request-id': 'look-for-me' } });
    expect([summary.status, await summary.text()]).toEqual([503, expect.stringContaining('is damaged')]);
    const metrics = await fetch(`${bus.url}/metrics`);
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toMatch(/bus_store_errors_total [1-9]/);
    expect((await bus.client.readMessages({ limit: 1 })).messages).toHaveLength(1);

    await until('it is in the log', () => bus.said().includes('"msg":"a call was refused'));
    expect(bus.said().match(/the store cannot read/g), 'once').toHaveLength(1);
    expect(bus.said()).toMatch(/"requestId":"[^"]+","route":"\/status".*"msg":"a call was refused/);
  });

  test('at its beginning keep the bus from starting', async () => {
    const store = await createLog(3);
    const bytes = readFileSync(store);
    bytes.fill(0x55, 0, 4096);
    writeFileSync(store, bytes);
    expect(await refusalToStart({ store })).toContain('is damaged or not a database: restore a backup');
  });
});
