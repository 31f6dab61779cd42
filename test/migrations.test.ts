import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compatibleFromOf, migrations } from '../src/store/migrations/index.ts';
import { parsePostgresUrl } from '../src/store/postgres/location.ts';
import { migrate as migratePostgres } from '../src/store/postgres/migrate.ts';
import { openSessionWithoutTimeout } from '../src/store/postgres/source.ts';
import { loadDriver } from '../src/store/sqlite/driver.ts';
import { migrate as migrateSqlite } from '../src/store/sqlite/migrate.ts';
import { createFolder } from './folder.ts';
import { createOwnSchema } from './postgres/buses.ts';

type Database = Readonly<{
  /** Brings it to the version that has been through these further migrations. */
  migrate: (...further: string[]) => Promise<void>;
  /** As a bus that knows no migration at all would. */
  migrateToNothing: () => Promise<void>;
  run: (sql: string) => Promise<unknown>;
  version: () => Promise<unknown>;
  messages: () => Promise<unknown[]>;
}>;

async function openSqlite(): Promise<Database> {
  const folder = createFolder();
  const path = join(folder, 'bus.db');
  const database = loadDriver().open(path);
  onTestFinished(() => {
    database.close();
  });
  const rows = (sql: string) => database.prepare(sql).all() as Record<string, unknown>[];
  return {
    migrate: async (...further) =>
      migrateSqlite(database, path, [...migrations, ...further.map(toMigration)]),
    migrateToNothing: async () => migrateSqlite(database, path, []),
    run: async (sql) => database.exec(sql),
    version: async () => rows('PRAGMA user_version')[0]?.user_version,
    messages: async () => rows('SELECT * FROM messages').map((row) => ({ ...row })),
  };
}

async function openPostgres(): Promise<Database> {
  const place = await createOwnSchema();
  const location = parsePostgresUrl(place.url);
  const session = await openSessionWithoutTimeout(location);
  onTestFinished(() => session.end());
  return {
    migrate: (...further) => migratePostgres(session, location, [...migrations, ...further.map(toMigration)]),
    migrateToNothing: () => migratePostgres(session, location, []),
    run: place.ask,
    version: async () => (await place.ask('SELECT version FROM schema_version'))[0]?.version,
    messages: () => place.ask('SELECT * FROM messages'),
  };
}

const toMigration = (sql: string) => ({ sqlite: sql, postgres: sql });

const addMood = 'ALTER TABLE messages ADD COLUMN mood text';
const fillMood = "UPDATE messages SET mood = 'calm'";
const cannotRun = 'UPDATE no_such_table SET mood = 1';

describe.each([
  {
    kind: 'SQLite',
    open: openSqlite,
    insert:
      "INSERT INTO messages (id, topic, sender, body, action_flag, ts) VALUES (1, 't', 's', 'kept', 0, 5)",
  },
  {
    kind: 'PostgreSQL',
    open: openPostgres,
    insert:
      "INSERT INTO messages (id, topic, sender, body, action_flag, ts) VALUES (1, 't', 's', 'kept', false, 5)",
  },
])('a database in $kind', ({ open, insert }) => {
  async function openOlder(): Promise<Database> {
    const database = await open();
    await database.migrate();
    await database.run(insert);
    return database;
  }

  test('of an older version goes through what it has not been through, and keeps its rows', async () => {
    const database = await openOlder();
    const before = await database.version();
    await database.migrate(addMood, fillMood);
    expect(await database.version()).toBe(Number(before) + 2);
    expect(await database.messages()).toMatchObject([{ body: 'kept', mood: 'calm' }]);
    await database.migrate(addMood, fillMood);
    expect(await database.messages()).toHaveLength(1);
  });

  test('is left as it was, and can be used, when one of the migrations fails', async () => {
    const database = await openOlder();
    const [version, messages] = [await database.version(), await database.messages()];
    await expect(database.migrate(addMood, fillMood, cannotRun)).rejects.toThrow(/no_such_table/);
    expect(await database.version()).toBe(version);
    expect(await database.messages()).toEqual(messages);
    await database.migrate(addMood);
    expect(await database.messages()).toMatchObject([{ body: 'kept', mood: null }]);
  });

  test('of a newer version is refused', async () => {
    const database = await openOlder();
    await expect(database.migrateToNothing()).rejects.toThrow(
      /by a newer bus-mcp \(its version is \d+, this one knows 0\): upgrade bus-mcp/,
    );
    expect(await database.messages()).toHaveLength(1);
  });
});

test('a version goes on beside older ones since the last migration that ends them', () => {
  const [going, ending] = [toMigration(''), { ...toMigration(''), endsOlder: true }];
  expect(compatibleFromOf([going])).toBe(1);
  expect(compatibleFromOf([going, ending, going])).toBe(2);
});
