import { statSync } from 'node:fs';
import { toRealPath } from '../path.ts';
import {
  type Hole,
  pageRowsOfTransfer,
  type ReadPages,
  type RowSource,
  type TableName,
  type Tables,
  type Totals,
} from '../transfer.ts';
import { ChangedSchemaError, checkSchema } from './check-schema.ts';
import { loadDriver, type SqliteDatabase, type SqliteValue } from './driver.ts';
import {
  type CounterColumns,
  fromAnswerColumns,
  fromCounterColumns,
  fromLaneColumns,
  fromMessageColumns,
  fromStoredEventColumns,
} from './encode.ts';
import { checkNotNewer, ForeignDatabaseError, readVersion } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { rollBack } from './write.ts';

/** All rows of a file as of now; a bus may go on writing to it. */
export function openSqliteSource(file: string): RowSource {
  const path = toRealPath(file);
  const database = openForReading(path);
  try {
    checkVersion(database, path);
    database.exec('BEGIN');
    return {
      location: path,
      totals: readTotals(database),
      holes: readHoles(database),
      readPages: createPageReader(database),
      async close() {
        // Some drivers close late; the moment that is held fast would hold up the write-ahead log until then.
        rollBack(database);
        database.close();
      },
    };
  } catch (error) {
    database.close();
    throw toReadError(error, path);
  }
}

/** Opens a file that must be a database of a bus, of this version or an older one, without changing it. */
export function openForReading(path: string): SqliteDatabase {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${path}`);
  const database = loadDriver().open(path, { readOnly: true });
  try {
    checkKind(database, path);
    return database;
  } catch (error) {
    database.close();
    throw toReadError(error, path);
  }
}

/** What the rows add up to, as the database itself keeps it. */
export function readTotals(database: SqliteDatabase): Totals {
  const columns = database.prepare('SELECT * FROM counters').get() as CounterColumns | undefined;
  if (!columns) throw new Error('it has lost its counters: restore a backup');
  return {
    ...fromCounterColumns(columns),
    fenceFloor: columns.fence_floor,
    clockMilliseconds: columns.clock_ms,
  };
}

export function createPageReader(database: SqliteDatabase): ReadPages {
  async function* readPages<Name extends TableName>(table: Name): AsyncGenerator<readonly Tables[Name][]> {
    const { key, fromColumns } = readers[table];
    const sql = `SELECT * FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${pageRowsOfTransfer}`;
    const statement = database.prepare(sql);
    for (let after: SqliteValue = key === 'id' ? 0 : ''; ; ) {
      const rows = statement.all(after) as Readonly<Record<string, SqliteValue>>[];
      if (rows.length === 0) return;
      yield rows.map((row) => fromColumns(row as never));
      after = rows.at(-1)?.[key] ?? null;
    }
  }
  return readPages;
}

type Reader<Row> = Readonly<{ key: string; fromColumns: (columns: never) => Row }>;

const readers: { readonly [Name in TableName]: Reader<Tables[Name]> } = {
  messages: { key: 'id', fromColumns: fromMessageColumns },
  events: { key: 'id', fromColumns: fromStoredEventColumns },
  lanes: { key: 'lane', fromColumns: fromLaneColumns },
  answers: { key: 'key', fromColumns: fromAnswerColumns },
};

function readHoles(database: SqliteDatabase): Hole[] {
  const sql = 'SELECT log, first_id AS firstId, last_id AS lastId FROM holes ORDER BY log, first_id';
  return (database.prepare(sql).all() as Hole[]).map((hole) => ({ ...hole }));
}

function checkKind(database: SqliteDatabase, path: string): void {
  if (readVersion(database) === 0) throw new Error(`the file ${path} is no database of a bus`);
  checkNotNewer(readVersion(database), path);
  try {
    checkSchema(database, path);
  } catch (error) {
    // A schema that cannot be read is damage, and whoever looks at the pages says which: nothing can be run on it.
    if (error instanceof ChangedSchemaError || error instanceof ForeignDatabaseError) throw error;
  }
}

function checkVersion(database: SqliteDatabase, path: string): void {
  const version = readVersion(database);
  if (version === migrations.length) return;
  throw new Error(
    `the database ${path} was written by an older bus-mcp (its version is ${version}, this one knows ${migrations.length}): ` +
      'start a bus with it once, which brings it up to date',
  );
}

function toReadError(error: unknown, path: string): unknown {
  if (!/not a database|malformed/i.test(String(error))) return error;
  return new Error(`the file ${path} is damaged or no database: use a backup instead`);
}
