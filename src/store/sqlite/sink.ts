import { toRealPath } from '../path.ts';
import {
  type Hole,
  type RowSink,
  type TableName,
  type Tables,
  type Totals,
  toNotEmpty,
} from '../transfer.ts';
import { loadDriver, type SqliteDatabase, type SqliteValue } from './driver.ts';
import {
  toAcknowledgedValues,
  toAnswerValues,
  toCounterValues,
  toLaneValues,
  toMessageValues,
  toStoredEventValues,
} from './encode.ts';
import { goOnAbove, readHighWater, toMarkPath } from './integrity/loss.ts';
import { type HighWater, openMarkFile, readMarkFile } from './integrity/mark.ts';
import { checkNotHeldHere, lockDatabase } from './lock.ts';
import { checkFile, createPrivateFile, prepareFile } from './prepare.ts';
import { createPageReader } from './source.ts';
import { prepareForWriting, rollBack } from './write.ts';

/** Fills a new file, or one in which nothing was ever kept. No bus may run on it meanwhile. */
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

/** Left of an earlier file: what was handed out then must not be handed out again. */
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
  const writers = createWriters(database);
  database.exec('BEGIN IMMEDIATE');

  async function write<Name extends TableName>(table: Name, rows: readonly Tables[Name][]): Promise<void> {
    for (const row of rows) writers[table](row);
  }

  async function commit(totals: Totals, holes: readonly Hole[]): Promise<void> {
    writeTotals(database, totals, holes);
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

type Writers = { readonly [Name in TableName]: (row: Tables[Name]) => void };

function createWriters(database: SqliteDatabase): Writers {
  const insert = (table: TableName, columns: number) => {
    const statement = database.prepare(
      `INSERT INTO ${table} VALUES (${Array(columns).fill('?').join(', ')})`,
    );
    return (...values: SqliteValue[]) => void statement.run(...values);
  };
  const [message, event, lane, answer] = [
    insert('messages', 8),
    insert('events', 6),
    insert('lanes', 7),
    insert('answers', 4),
  ];
  return {
    messages: (row) => message(...toMessageValues(row), ...toAcknowledgedValues(row).slice(0, 2)),
    events: (row) => event(...toStoredEventValues(row, row.messageId)),
    lanes: (row) => lane(...toLaneValues(row)),
    answers: (row) => answer(...toAnswerValues(row)),
  };
}

function writeTotals(database: SqliteDatabase, totals: Totals, holes: readonly Hole[]): void {
  database
    .prepare(
      `UPDATE counters SET last_message_id = ?, last_event_id = ?, message_count = ?, pending_flag_count = ?,
       pruned_message_id = ?, pruned_event_id = ?, clock_ms = ?, fence_floor = ?`,
    )
    .run(...toCounterValues(totals, totals.clockMilliseconds), totals.fenceFloor);
  const hole = database.prepare('INSERT INTO holes VALUES (?, ?, ?)');
  for (const { log, firstId, lastId } of holes) hole.run(log, firstId, lastId);
}

function isEmpty(database: SqliteDatabase): boolean {
  const sql = `SELECT (SELECT last_message_id + last_event_id FROM counters)
    + (SELECT count(*) FROM lanes) + (SELECT count(*) FROM answers) AS kept`;
  return (database.prepare(sql).get() as { kept: number }).kept === 0;
}
