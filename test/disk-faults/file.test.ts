import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { openSqliteSink } from '../../src/store/sqlite/sink.ts';
import { bodiesOf, refusalToStart, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { postMany } from '../suite/ask.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
/** Root may write everything, so permissions are tried as somebody else. */
const under = isRoot ? asNobody : [];
const canBeRefused = !isRoot || spawnSync('setpriv', ['--version']).status === 0;
if (!canBeRefused)
  console.warn('skipped: what may not be written (root, and no setpriv: install util-linux)');

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
      /is damaged or not a database: restore a backup, or name another file/,
    );
    expect(seen(store)).toEqual(before);
    expect(() => openSqliteSink(store)).toThrow('is damaged or not a database');
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
    expect(await refusalToStart({ store })).toContain(`the database ${store} is not a file`);
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

test('a lock that is held by another process names it', async () => {
  const store = join(createFolder(), 'bus.db');
  const bus = await startBus({ store });
  expect(await refusalToStart({ store })).toContain(`already has a bus: process ${bus.process.pid}`);
  copyFileSync(store, `${store}.copy`);
  expect(existsSync(`${store}.holder`)).toBe(true);
});
