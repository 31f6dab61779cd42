import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventSchema } from '../src/contract/events.ts';
import { laneSchema } from '../src/contract/lanes.ts';
import { messageSchema } from '../src/contract/messages.ts';
import type { ColumnType } from '../src/store/columns.ts';
import { laterFields } from '../src/store/event-rows.ts';
import { migrations } from '../src/store/migrations/index.ts';
import type { Migration } from '../src/store/migrations/migration.ts';
import { columnTypes, dialect as postgresDialect } from '../src/store/postgres/dialect.ts';
import { parsePostgresUrl } from '../src/store/postgres/location.ts';
import { migrate as migratePostgres } from '../src/store/postgres/migrate.ts';
import { openSessionWithoutTimeout } from '../src/store/postgres/source.ts';
import { type Kind, type KindName, schema } from '../src/store/schema.ts';
import { shownFieldsOf } from '../src/store/shown.ts';
import { dialect as sqliteDialect } from '../src/store/sqlite/dialect.ts';
import { loadDriver } from '../src/store/sqlite/driver.ts';
import { migrate as migrateSqlite } from '../src/store/sqlite/migrate.ts';
import { columnOf, columnsIn, keyColumnsOf, toWhere } from '../src/store/tables.ts';
import { createFolder } from './folder.ts';
import { createOwnSchema } from './postgres/buses.ts';

type Database = Readonly<{
  migrate: (steps: readonly Migration[]) => Promise<void>;
  ask: (sql: string) => Promise<readonly Record<string, unknown>[]>;
  table: (kind: KindName) => Promise<Table>;
}>;

/** What a table is made of, each as one line, sorted. */
type Table = Readonly<{ columns: readonly string[]; key: readonly string[]; indexes: readonly string[] }>;

async function openSqlite(): Promise<Database> {
  const folder = createFolder();
  const path = join(folder, 'bus.db');
  const database = loadDriver().open(path);
  onTestFinished(() => {
    database.close();
  });
  const ask = async (sql: string) =>
    (database.prepare(sql).all() as Record<string, unknown>[]).map((row) => ({ ...row }));
  return {
    migrate: async (steps) => migrateSqlite(database, path, steps),
    ask,
    async table(kind) {
      const columns = await ask(`PRAGMA table_info(${kind})`);
      const indexes = await ask(
        `SELECT sql FROM sqlite_master WHERE tbl_name = '${kind}' AND type = 'index'`,
      );
      const keys = columns.filter(({ pk }) => pk !== 0).sort((a, b) => Number(a.pk) - Number(b.pk));
      return {
        columns: columns.map(({ name, type, notnull, pk }) => toLine(name, type, notnull !== 0 || pk !== 0)),
        key: keys.map(({ name }) => String(name)),
        indexes: indexes.flatMap(({ sql }) => (sql === null ? [] : [toIndex(String(sql))])),
      };
    },
  };
}

async function openPostgres(): Promise<Database> {
  const { url, ask } = await createOwnSchema();
  const location = parsePostgresUrl(url);
  const session = await openSessionWithoutTimeout(location);
  onTestFinished(() => session.end());
  return {
    migrate: (steps) => migratePostgres(session, location, steps),
    ask,
    async table(kind) {
      const columns = await ask(
        `SELECT column_name, data_type, is_nullable, collation_name FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = '${kind}'`,
      );
      const keys = await ask(
        `SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
         WHERE indrelid = '${kind}'::regclass AND indisprimary ORDER BY array_position(indkey, attnum)`,
      );
      const indexes = await ask(
        `SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = '${kind}'`,
      );
      return {
        columns: columns.map(({ column_name, data_type, is_nullable, collation_name }) => {
          const type = collation_name === 'C' ? `${data_type} by bytes` : data_type;
          return toLine(column_name, type, is_nullable === 'NO');
        }),
        key: keys.map(({ attname }) => String(attname)),
        indexes: indexes.flatMap(({ indexdef }) =>
          String(indexdef).includes('UNIQUE') ? [] : [toIndex(String(indexdef))],
        ),
      };
    },
  };
}

function toLine(name: unknown, type: unknown, isRequired: boolean): string {
  return `${name} ${type}${isRequired ? ' NOT NULL' : ''}`;
}

/** `messages_by_topic (topic, id)`, with the condition behind it if there is one. */
function toIndex(sql: string): string {
  const [, name, columns, where = ''] =
    /INDEX (\w+) ON [\w.]+ (?:USING btree )?\(([^)]*)\)(?: WHERE (.*))?/.exec(sql) ?? [];
  return `${name} (${columns})${where === '' ? '' : ` WHERE ${where.replaceAll(/[()]/g, '')}`}`;
}

const sqliteTypes: Record<ColumnType, string> = {
  integer: 'INTEGER',
  time: 'INTEGER',
  flag: 'INTEGER',
  text: 'TEXT',
  name: 'TEXT',
  json: 'TEXT',
};
const postgresTypes: Record<ColumnType, string> = { ...columnTypes, name: 'text by bytes' };

const stores = [
  {
    store: 'SQLite',
    open: openSqlite,
    types: sqliteTypes,
    isSet: sqliteDialect.isSet,
    kinds: (Object.keys(schema) as KindName[]).filter((kind) => kind !== 'waiters'),
    own: { counters: { columns: ['one INTEGER NOT NULL'], key: ['one'], indexes: [] } },
  },
  {
    store: 'PostgreSQL',
    open: openPostgres,
    types: postgresTypes,
    isSet: postgresDialect.isSet,
    kinds: Object.keys(schema) as KindName[],
    own: {
      counters: {
        columns: ['one smallint NOT NULL', 'answer_count bigint NOT NULL'],
        key: ['one'],
        indexes: [],
      },
      waiters: {
        columns: [
          'arrival bigint NOT NULL',
          'bus text NOT NULL',
          'arrived_at timestamp with time zone NOT NULL',
        ],
        key: ['arrival'],
        indexes: [
          'waiters_by_lane (lane, arrival)',
          'waiters_by_age (arrived_at)',
          'waiters_scoped (arrival) WHERE paths IS NOT NULL',
        ],
      },
    },
  },
] as const;

describe.each(stores)('the tables of $store', ({ open, types, isSet, kinds, own }) => {
  test('are what the migrations make, and what the schema declares', async () => {
    const database = await open();
    await database.migrate(migrations);
    for (const kind of kinds) {
      const more = (own as Partial<Record<KindName, Table>>)[kind];
      const { indexes = {} } = schema[kind] as Kind;
      const declared: Table = {
        columns: columnsIn(kind).map(({ name, column, isNullable }) =>
          toLine(name, types[column.type], !isNullable),
        ),
        key: more?.key ?? keyColumnsOf(kind).map(({ name }) => name),
        indexes: Object.entries(indexes).map(([name, { fields, where }]) => {
          const columns = fields.map((field) => columnOf(kind, field).name).join(', ');
          return `${name} (${columns})${where ? ` WHERE ${toWhere(kind, where, isSet)}` : ''}`;
        }),
      };
      const made = await database.table(kind);
      expect({ kind, ...sorted(made) }).toEqual({
        kind,
        ...sorted({
          columns: [...declared.columns, ...(more?.columns ?? [])],
          key: declared.key,
          indexes: [...declared.indexes, ...(more?.indexes ?? [])],
        }),
      });
    }
  });

  test('of a version whose events did not keep what they told are filled with it', async () => {
    const database = await open();
    await database.migrate(migrations.slice(0, 2));
    const flagged = isSet('1') === '1' ? 'true' : '1';
    await database.ask(
      `INSERT INTO messages (id, topic, sender, body, action_flag, ts, acknowledged_by, acknowledged_at)
       VALUES (1, 't', 's', 'b', ${flagged}, 5, 'grace', 7)`,
    );
    await database.ask(
      `INSERT INTO events (id, kind, ts, message_id) VALUES (1, 'message_posted', 5, 1), (2, 'flag_acknowledged', 7, 1)`,
    );
    await database.migrate(migrations);
    const events = await database.ask('SELECT detail FROM events ORDER BY id');
    expect(events.map(({ detail }) => detail && JSON.parse(String(detail)))).toEqual([
      null,
      { acknowledgedBy: 'grace', acknowledgedAt: 7 },
    ]);
  });
});

function sorted({ columns, key, indexes }: Table): Table {
  return { columns: columns.toSorted(), key, indexes: indexes.toSorted() };
}

describe('what is shown', () => {
  test.each([
    ['messages', messageSchema.shape, []],
    ['lanes', laneSchema.shape, ['expires_in_s', 'previous']],
    // An event shows its message, and what was set in it by then stands there.
    ['events', eventSchema.shape, ['message']],
  ] as const)('of %s is every field of the schema that is not for the bus itself', (kind, shape, more) => {
    const inMessage = ['messageId', ...laterFields] as string[];
    const fields = shownFieldsOf(kind).filter(
      // How the hold before ended is shown beside the lane.
      ({ path }) => path[0] !== 'previous' && (kind !== 'events' || !inMessage.includes(path.at(-1) ?? '')),
    );
    expect(Object.keys(shape).sort()).toEqual([...fields.map(({ name }) => name), ...more].sort());
  });
});

test('loading SQLite leaves the warnings of the process as they were', () => {
  const { emitWarning } = process;
  loadDriver();
  expect(process.emitWarning).toBe(emitWarning);
});
