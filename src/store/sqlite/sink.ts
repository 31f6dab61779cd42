import { toRealPath } from '../path.ts';
import type { Counters, Hole } from '../rows.ts';
import type { CopiedKind, KindName, Row } from '../schema.ts';
import { namesOf } from '../tables.ts';
import { type RowSink, toNotEmpty } from '../transfer.ts';
import { codecs } from './dialect.ts';
import { loadDriver, type SqliteDatabase, type SqliteValue } from './driver.ts';
import { goOnAbove, readHighWater } from './integrity/loss.ts';
import { type HighWater, openMarkFile, readMarkFile, toMarkPath } from './integrity/mark.ts';
import { checkNotHeldHere, lockDatabase } from './lock.ts';
import { checkFile, createPrivateFile, prepareFile } from './prepare.ts';
import { createPageReader } from './source.ts';
import { prepareForWriting, rollBack } from './transactions.ts';

/** Fills a new or empty file. No bus may run on it at the same time. */
export function openSqliteSink(file: string): RowSink {
  const path = toRealPath(file);
  checkNotHeldHere(path);
  checkFile(path);
  createPrivateFile(path);
  const driver = loadDriver();
  const lock = lockDatabase(driver, path);
  try {
    const before = readEarlierMark(path);
    prepareFile(driver, path);
    const database = driver.open(path);
    prepareForWriting(database);
    if (!isEmpty(database)) {
      database.close();
      throw toNotEmpty(path);
    }
    return createSink({ database, path, before, release: lock.release });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Left from an earlier file. Ids that were handed out then must not be handed out again. */
function readEarlierMark(path: string): HighWater | undefined {
  const mark = readMarkFile(toMarkPath(path));
  if (mark !== 'unreadable') return mark;
  throw new Error(
    `the mark ${toMarkPath(path)} of an earlier database cannot be read, so its ids could be given out again: ` +
      'name another file, or remove the mark if they may be',
  );
}

type Parts = Readonly<{
  database: SqliteDatabase;
  path: string;
  before: HighWater | undefined;
  release: () => void;
}>;

function createSink({ database, path, before, release }: Parts): RowSink {
  const insert = {
    messages: createInserter(database, 'messages'),
    events: createInserter(database, 'events'),
    lanes: createInserter(database, 'lanes'),
    agents: createInserter(database, 'agents'),
    sessions: createInserter(database, 'sessions'),
    stems: createInserter(database, 'stems'),
    answers: createInserter(database, 'answers'),
    holes: createInserter(database, 'holes'),
  };
  database.exec('BEGIN IMMEDIATE');

  async function write<Name extends CopiedKind>(kind: Name, rows: readonly Row<Name>[]): Promise<void> {
    for (const row of rows) insert[kind](row as never);
  }

  async function commit(totals: Counters, holes: readonly Hole[]): Promise<void> {
    writeCounters(database, totals);
    for (const hole of holes) insert.holes(hole);
    database.exec('COMMIT');
    if (before) goOnAbove(database, before);
    const mark = openMarkFile(toMarkPath(path));
    mark.write(readHighWater(database));
    mark.sync();
    mark.close();
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  async function close(): Promise<void> {
    rollBack(database);
    database.close();
    release();
  }

  return { location: path, write, readPages: createPageReader(database), commit, close };
}

function createInserter<Name extends KindName & keyof typeof codecs>(database: SqliteDatabase, kind: Name) {
  const { columns, toValues } = codecs[kind];
  const places = columns.map(() => '?').join(', ');
  const statement = database.prepare(`INSERT INTO ${kind} (${namesOf(columns)}) VALUES (${places})`);
  return (row: Row<Name>) => void statement.run(...(toValues(row as never) as SqliteValue[]));
}

function writeCounters(database: SqliteDatabase, totals: Counters): void {
  const { columns, toValues } = codecs.counters;
  const set = columns.map(({ name }) => `${name} = ?`).join(', ');
  database.prepare(`UPDATE counters SET ${set}`).run(...(toValues(totals) as SqliteValue[]));
}

function isEmpty(database: SqliteDatabase): boolean {
  const sql = `SELECT (SELECT last_message_id + last_event_id FROM counters)
    + (SELECT count(*) FROM lanes) + (SELECT count(*) FROM answers) AS kept`;
  return (database.prepare(sql).get() as { kept: number }).kept === 0;
}
