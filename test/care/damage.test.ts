import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { backUp } from '../../src/care/backup.ts';
import { noProgress } from '../../src/care/progress.ts';
import { restore } from '../../src/care/restore.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { createFolder } from '../folder.ts';
import { postMany } from '../suite/ask.ts';
import { withBus } from './stage.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const pageBytes = 4096;

/** A database of which one page is nonsense. SQLite says so about some of them, and gives up over the others. */
async function createDamagedStore(what: string): Promise<string> {
  const store = join(createFolder(), 'bus.db');
  await withBus(store, (bus) => postMany(bus, 50));
  const bytes = readFileSync(store);
  const start = what === 'sqlite_schema' ? 100 : (rootOf(store, what) - 1) * pageBytes;
  bytes.fill(0x55, start, Math.ceil((start + 1) / pageBytes) * pageBytes);
  writeFileSync(store, bytes);
  return store;
}

function rootOf(store: string, name: string): number {
  const database = loadDriver().open(store, { readOnly: true });
  const row = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(name);
  database.close();
  return (row as { rootpage: number }).rootpage;
}

describe.each(['sqlite_schema', 'messages', 'messages_by_topic', 'counters', 'lanes'])(
  'a damaged page of %s',
  (what) => {
    test('is a finding of verify, and says what to do', async () => {
      const store = await createDamagedStore(what);
      const { ok, checks } = await verifyStore(store, noProgress);
      expect(ok).toBe(false);
      const file = checks.find(({ name }) => name === 'file');
      expect(file?.ok).toBe(false);
      expect(file?.finding).toMatch(/^damaged pages \(.+\): restore a backup$/);
      for (const { finding } of checks) expect(finding).not.toMatch(/^database disk image is malformed|\n/);
    });

    test('keeps a backup from being made', async () => {
      const store = await createDamagedStore(what);
      const file = join(store, '..', 'backup.db');
      await expect(backUp({ store, file }, noProgress)).rejects.toThrow(
        `the database ${store} cannot be copied, because the database is damaged (check it with bus-mcp verify`,
      );
      expect(readdirSync(join(store, '..')).filter((name) => name.startsWith('backup'))).toEqual([]);
    });

    test('keeps a backup from being restored', async () => {
      const file = await createDamagedStore(what);
      const store = join(createFolder(), 'bus.db');
      await expect(restore({ store, file, now }, noProgress)).rejects.toThrow(
        `the backup ${file} is not whole, so nothing was changed: damaged pages`,
      );
    });
  },
);

test('a database that lost what it had acknowledged is not backed up as if it were whole', async () => {
  const folder = createFolder();
  const [store, early, late] = ['bus.db', 'early.db', 'late.db'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await withBus(store, (bus) => postMany(bus, 3));
  await backUp({ store, file: early }, noProgress);
  await withBus(store, (bus) => postMany(bus, 2));
  for (const part of ['-wal', '-shm']) rmSync(`${store}${part}`, { force: true });
  writeFileSync(store, readFileSync(early));
  await expect(backUp({ store, file: late }, noProgress)).rejects.toThrow(
    /is not whole, so there is no backup of it: 2 messages and 2 events are missing/,
  );
  expect((await verifyStore(early, noProgress)).ok, 'a backup has no mark').toBe(true);
});
