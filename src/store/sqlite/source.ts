import { statSync } from 'node:fs';
import { migrations } from '../migrations/index.ts';
import { toRealPath } from '../path.ts';
import type { Counters, Hole } from '../rows.ts';
import type { CopiedKind, Row } from '../schema.ts';
import { keyColumnsOf, lowestKeyOf, namesOf } from '../tables.ts';
import { pageRowsOfTransfer, type ReadPages, type RowSource } from '../transfer.ts';
import { ChangedSchemaError, checkSchema } from './check-schema.ts';
import { codecs } from './dialect.ts';
import { loadDriver, type SqliteDatabase, type SqliteValue } from './driver.ts';
import { checkNotNewer, ForeignDatabaseError, readVersion } from './migrate.ts';
import { rollBack } from './transactions.ts';

/** A snapshot of all rows of a file; a bus may go on writing to it. */
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
        // Some drivers close late. Until then the open snapshot would keep the write-ahead log from shrinking.
        rollBack(database);
        database.close();
      },
    };
  } catch (error) {
    database.close();
    throw toReadError(error, path);
  }
}

/** Opens a file that must be a bus database of this version or an older one, without changing it. */
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

/** The totals, as the database itself stores them. */
export function readTotals(database: SqliteDatabase): Counters {
  const columns = database.prepare('SELECT * FROM counters').get() as Columns | undefined;
  if (!columns) throw new Error('it has lost its counters: restore a backup');
  return codecs.counters.fromColumns(columns);
}

type Columns = Readonly<Record<string, SqliteValue>>;

export function createPageReader(database: SqliteDatabase): ReadPages {
  async function* readPages<Name extends CopiedKind>(kind: Name): AsyncGenerator<readonly Row<Name>[]> {
    const { columns, fromColumns } = codecs[kind];
    const key = namesOf(keyColumnsOf(kind));
    const rest = `ORDER BY ${key} LIMIT ${pageRowsOfTransfer}`;
    const statement = database.prepare(`SELECT ${namesOf(columns)} FROM ${kind} WHERE ${key} > ? ${rest}`);
    for (let after: SqliteValue = lowestKeyOf(kind); ; ) {
      const rows = statement.all(after) as Columns[];
      if (rows.length === 0) return;
      yield rows.map((row) => fromColumns(row) as Row<Name>);
      after = rows.at(-1)?.[key] ?? null;
    }
  }
  return readPages;
}

function readHoles(database: SqliteDatabase): Hole[] {
  const sql = 'SELECT * FROM holes ORDER BY log, first_id';
  return (database.prepare(sql).all() as Columns[]).map(codecs.holes.fromColumns);
}

function checkKind(database: SqliteDatabase, path: string): void {
  if (readVersion(database) === 0) throw new Error(`the file ${path} is not a bus database`);
  checkNotNewer(readVersion(database), path);
  try {
    checkSchema(database, path);
  } catch (error) {
    // A schema that cannot be read is damage. The check of the pages reports it; no query would run on it.
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
  return new Error(`the file ${path} is damaged or not a database: use a backup instead`);
}
