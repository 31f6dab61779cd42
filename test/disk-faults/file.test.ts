import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noProgress } from '../../src/care/progress.ts';
import { verifyStore } from '../../src/care/verify.ts';
import type { Client } from '../../src/http/client.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { openSqliteSink } from '../../src/store/sqlite/sink.ts';
import { provideNode } from '../package/node-versions.ts';
import { postMany, refusalOf, until } from '../suite/ask.ts';
import { createFolder, refusalToStart, startBus } from './bus.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
/** Root may write everything, so permissions are tried as somebody else. */
const under = isRoot ? asNobody : [];
const canBeRefused = !isRoot || spawnSync('setpriv', ['--version']).status === 0;
if (!canBeRefused)
  console.warn('skipped: what may not be written (root, and no setpriv: install util-linux)');

async function bodiesOf(client: Client): Promise<string[]> {
  return (await client.readMessages({ since_id: 0, limit: 500 })).messages.map(({ body }) => body);
}

describe.skipIf(!canBeRefused)('a bus that may not write', () => {
  function createOwnFolder(): string {
    const folder = createFolder();
    if (isRoot) chownSync(folder, nobody, nobody);
    return folder;
  }

  test('refuses a folder that it may not write, and says what to do', async () => {
    const folder = createOwnFolder();
    chmodSync(folder, 0o555);
    const said = await refusalToStart({ store: join(folder, 'bus.db'), under });
    expect(said).toMatch(
      /cannot be written \(EACCES\): make its folder writable for this user, or name another file/,
    );
    chmodSync(folder, 0o755);
  });

  test('refuses a file that is read-only, and leaves it as it is', async () => {
    const folder = createOwnFolder();
    const store = join(folder, 'bus.db');
    const bus = await startBus({ store, under });
    await postMany(bus.client, 3);
    await bus.end();
    chmodSync(store, 0o444);
    const before = readFileSync(store);
    expect(await refusalToStart({ store, under })).toContain(
      `the database ${store} cannot be written (EACCES)`,
    );
    expect(readFileSync(store)).toEqual(before);
    chmodSync(store, 0o600);
    const again = await startBus({ store, under });
    expect(await bodiesOf(again.client)).toEqual(['1', '2', '3']);
  });
});

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
      expect(await refusalToStart({ store })).toMatch(/messages and \d+ events are gone/);
      const accepting = await startBus({ store, flags: ['--accept-loss'] });
      await accepting.end();
      expect((await verifyStore(store, noProgress)).ok).toBe(true);
    },
    150_000,
  );

  test('does not begin anew in silence when it was deleted for good', async () => {
    const store = join(createFolder(), 'bus.db');
    const bus = await startBus({ store });
    await postMany(bus.client, 3);
    rmSync(store);
    await refusalOf(bus.client.postMessage({ topic: 't', sender: 's', body: '4' }));
    await bus.end();
    for (const part of ['', '-wal', '-shm']) rmSync(`${store}${part}`, { force: true });
    expect(await refusalToStart({ store })).toMatch(/3 messages and 3 events are gone/);
  });
});

describe('a file that is no database of this bus', () => {
  /** Everything that there is to see of a file and of what lies beside it. */
  function seen(store: string) {
    const folder = dirname(store);
    return {
      names: readdirSync(folder),
      mode: statSync(store).mode & 0o777,
      bytes: readFileSync(store).toString('base64'),
    };
  }

  function createDatabase(statements: string): string {
    const store = join(createFolder(), 'others.db');
    const database = loadDriver().open(store);
    database.exec(statements);
    database.close();
    chmodSync(store, 0o644);
    return store;
  }

  test.each([
    ['text', 'dear diary\n'.repeat(1000)],
    ['a short text', 'buy milk'],
  ])('is refused when it is %s, and left as it is', async (_, content) => {
    const store = join(createFolder(), 'notes.txt');
    writeFileSync(store, content, { mode: 0o644 });
    const before = seen(store);
    expect(await refusalToStart({ store })).toMatch(
      /is damaged or no database: restore a backup, or name another file/,
    );
    expect(seen(store)).toEqual(before);
    expect(() => openSqliteSink(store)).toThrow('is damaged or no database');
    expect(seen(store)).toEqual(before);
  });

  test.each([
    ['', 'CREATE TABLE customers (name TEXT)'],
    [' in WAL mode', 'PRAGMA journal_mode = WAL; CREATE TABLE customers (name TEXT)'],
    [' that names itself', 'PRAGMA user_version = 1; PRAGMA application_id = 7; CREATE TABLE customers (a)'],
  ])(
    'is refused when it is a database of another application%s, and left as it is',
    async (_, statements) => {
      const store = createDatabase(statements);
      const before = seen(store);
      expect(await refusalToStart({ store })).toContain(
        `the file ${store} is the database of another application: name another file with BUS_STORE`,
      );
      expect(() => openSqliteSink(store)).toThrow('is the database of another application');
      expect(seen(store)).toEqual(before);
    },
  );

  test('is refused when only its tables tell, and none is added', async () => {
    const store = createDatabase('PRAGMA user_version = 1; CREATE TABLE customers (name TEXT)');
    const { mode, bytes } = seen(store);
    expect(await refusalToStart({ store })).toContain('is the database of another application');
    expect(seen(store)).toMatchObject({ mode, bytes });
  });

  test('is taken when nothing was ever kept in it', async () => {
    const store = createDatabase('PRAGMA user_version = 0');
    const bus = await startBus({ store });
    expect(await bus.client.postMessage({ topic: 't', sender: 's', body: '1' })).toMatchObject({ id: 1 });
    expect(seen(store).mode).toBe(0o600);
  });

  test('is refused when it is a folder', async () => {
    const store = join(createFolder(), 'bus.db');
    mkdirSync(store);
    expect(await refusalToStart({ store })).toContain(`the database ${store} is no file`);
    expect(readdirSync(dirname(store))).toEqual(['bus.db']);
  });

  test('is refused when a newer version wrote it, and left as it is', async () => {
    const made = join(createFolder(), 'bus.db');
    const bus = await startBus({ store: made });
    await postMany(bus.client, 1);
    await bus.end();
    const database = loadDriver().open(made);
    database.exec('PRAGMA user_version = 99');
    database.close();
    const store = join(createFolder(), 'bus.db');
    copyFileSync(made, store);
    chmodSync(store, 0o644);
    const before = seen(store);
    expect(await refusalToStart({ store })).toMatch(
      /was written by a newer bus-mcp \(its version is 99, this one knows \d+\): upgrade bus-mcp/,
    );
    expect(seen(store)).toEqual(before);
  });
});

describe('a folder for the file', () => {
  test('is made with all its parents, for this user alone', async () => {
    const folder = createFolder();
    const bus = await startBus({ store: join(folder, 'a', 'b', 'bus.db') });
    await bus.end();
    for (const name of ['a', 'a/b']) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o700);
  });

  test.each([
    ['a file', (parent: string) => writeFileSync(parent, '')],
    ['a link to nothing', (parent: string) => symlinkSync(join(dirname(parent), 'gone', 'far'), parent)],
  ])('that cannot be made because a parent is %s is told in a sentence', async (_, make) => {
    const parent = join(createFolder(), 'parent');
    make(parent);
    const said = await refusalToStart({ store: join(parent, 'deep', 'bus.db') });
    expect(said).toMatch(/cannot be written \(E[A-Z]+\): make its folder writable for this user, or name/);
  });
});

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
      'the database is damaged (look at it with bus-mcp verify, and restore a backup)',
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
    expect(bus.said()).toContain('"msg":"the bus listens"');

    const refused = await refusalOf(bus.client.getBusStatus({}));
    expect([refused.status, refused.code]).toEqual([503, 'unavailable']);
    expect(refused.detail).toContain('what the call needs cannot be read');
    const summary = await fetch(bus.url, { headers: { 'x-request-id': 'look-for-me' } });
    expect([summary.status, await summary.text()]).toEqual([503, expect.stringContaining('is damaged')]);
    const metrics = await fetch(`${bus.url}/metrics`);
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toMatch(/bus_store_errors_total [1-9]/);
    expect((await bus.client.readMessages({ limit: 1 })).messages).toHaveLength(1);

    await until('it is in the log', () => bus.said().includes('the store cannot read what it keeps'));
    expect(bus.said().match(/the store cannot read/g), 'once').toHaveLength(1);
    expect(bus.said()).toMatch(/"requestId":"[^"]+","route":"\/status".*"msg":"a call was refused/);
  });

  test('at its beginning keep the bus from starting', async () => {
    const store = await createLog(3);
    const bytes = readFileSync(store);
    bytes.fill(0x55, 0, 4096);
    writeFileSync(store, bytes);
    expect(await refusalToStart({ store })).toContain('is damaged or no database: restore a backup');
  });
});

test('a lock that is held by another process names it', async () => {
  const store = join(createFolder(), 'bus.db');
  const bus = await startBus({ store });
  expect(await refusalToStart({ store })).toContain(`already has a bus: process ${bus.process.pid}`);
  copyFileSync(store, `${store}.copy`);
  expect(existsSync(`${store}.holder`)).toBe(true);
});
