import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { backUp } from '../../src/care/backup.ts';
import { copyStore } from '../../src/care/copy.ts';
import { noProgress } from '../../src/care/progress.ts';
import { restore } from '../../src/care/restore.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { createFolder } from '../folder.ts';
import { fillBus, withBus } from './stage.ts';

const now = new Date('2026-01-02T03:04:05.678Z');

/** A backup in which somebody wrote after it was made. */
async function createChangedBackup(sql: string): Promise<Readonly<{ folder: string; file: string }>> {
  const folder = createFolder();
  const [store, file] = [join(folder, 'bus.db'), join(folder, 'backup.db')];
  await withBus(store, fillBus);
  await backUp({ store, file }, noProgress);
  const database = loadDriver().open(file);
  database.exec(sql);
  database.close();
  return { folder, file };
}

const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)';

describe.each([
  [
    'a foreign trigger',
    'CREATE TRIGGER gone AFTER INSERT ON messages BEGIN DELETE FROM messages WHERE id = new.id; END',
    'it has what no bus makes (trigger gone)',
  ],
  ['a foreign view', 'CREATE VIEW peek AS SELECT * FROM messages', 'it has what no bus makes (view peek)'],
  [
    'an endless view in the place of a table',
    `DROP TABLE holes; CREATE VIEW holes AS ${endless} SELECT 'messages' AS log, i AS first_id, i AS last_id FROM n`,
    'it has what no bus makes (view holes); something is missing (table holes',
  ],
  ['a foreign table', 'CREATE TABLE notes (text TEXT)', 'it has what no bus makes (table notes)'],
  ['an index that is gone', 'DROP INDEX messages_flagged', 'something is missing (index messages_flagged)'],
  [
    'a table without its rules',
    'DROP TABLE holes; CREATE TABLE holes (log TEXT, first_id INTEGER, last_id INTEGER)',
    'something was changed (table holes)',
  ],
])('a backup with %s', (_, sql, finding) => {
  test('is a finding of verify, and is not restored', async () => {
    const { folder, file } = await createChangedBackup(sql);
    const { ok, checks } = await verifyStore(file, noProgress);
    expect(ok).toBe(false);
    expect(checks.map(({ name }) => name)).toEqual(['schema']);
    expect(checks[0]?.finding).toContain(finding);
    const store = join(folder, 'new.db');
    await expect(restore({ store, file, now }, noProgress)).rejects.toThrow(finding);
    expect(existsSync(store)).toBe(false);
  });

  test('is neither copied nor served', async () => {
    const { folder, file } = await createChangedBackup(sql);
    const to = join(folder, 'copy.db');
    await expect(copyStore({ from: file, to, warn: () => {} }, noProgress)).rejects.toThrow(finding);
    await expect(withBus(file, async () => {})).rejects.toThrow(finding);
  });
});

describe('a number that no bus writes', () => {
  test.each([
    ['a counter near 2^53', 'UPDATE counters SET last_message_id = 9007199254740991'],
    ['a counter beyond 2^53', 'UPDATE counters SET last_event_id = 9223372036854775807'],
    ['a negative counter', 'UPDATE counters SET fence_floor = -5'],
    ['a clock beyond any date', 'UPDATE counters SET clock_ms = 8640000000000001'],
    ['a fence near 2^53', "UPDATE lanes SET fence = 9007199254740990 WHERE lane = 'free'"],
    ['a lease beyond any date', 'UPDATE lanes SET expires_at = 253402300800000 WHERE owner IS NOT NULL'],
  ])('%s is a finding of verify, and is not restored', async (_, sql) => {
    const { folder, file } = await createChangedBackup(sql);
    const { ok, checks } = await verifyStore(file, noProgress);
    expect(ok).toBe(false);
    const findings = checks.filter((check) => !check.ok).map(({ finding }) => finding);
    expect(findings.join('; ')).toMatch(/a bus writes numbers from 0 to|too large to be represented/);
    const store = join(folder, 'new.db');
    await expect(restore({ store, file, now }, noProgress)).rejects.toThrow('nothing was changed');
    expect(existsSync(store)).toBe(false);
  });
});

describe('restore replaces only what a bus has made', () => {
  async function createBackup() {
    const folder = createFolder();
    const [store, file] = [join(folder, 'bus.db'), join(folder, 'backup.db')];
    await withBus(store, fillBus);
    await backUp({ store, file }, noProgress);
    return { folder: createFolder(), file };
  }

  test('and leaves a text as it is', async () => {
    const { folder, file } = await createBackup();
    const store = join(folder, 'thesis.txt');
    writeFileSync(store, 'years of work');
    await expect(restore({ store, file, now }, noProgress)).rejects.toThrow(
      `no bus has made the file ${store}`,
    );
    expect(readFileSync(store, 'utf8')).toBe('years of work');
    expect(readdirSync(folder)).toEqual(['thesis.txt']);
  });

  test.each(['PRAGMA user_version = 1', 'PRAGMA application_id = 77', ''])(
    'and leaves the database of another application as it is: %j',
    async (pragma) => {
      const { folder, file } = await createBackup();
      const store = join(folder, 'other.db');
      const database = loadDriver().open(store);
      database.exec(`CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('one'); ${pragma}`);
      database.close();
      const before = readFileSync(store);
      await expect(restore({ store, file, now }, noProgress)).rejects.toThrow('of another application');
      expect(readFileSync(store).equals(before)).toBe(true);
      expect(readdirSync(folder)).toEqual(['other.db']);
    },
  );

  test('and that includes a database of a bus so damaged that only its mark tells whose it is', async () => {
    const { folder, file } = await createBackup();
    const store = join(folder, 'bus.db');
    await withBus(store, fillBus);
    writeFileSync(store, Buffer.alloc(4096, 0x55));
    const { replaced } = await restore({ store, file, now }, noProgress);
    expect(readFileSync(replaced ?? '')[0]).toBe(0x55);
    expect((await verifyStore(store, noProgress)).ok).toBe(true);
  });
});
