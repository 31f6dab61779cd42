import { limits } from '../../contract/limits.ts';
import { type BatchChanges, isEmpty } from '../batch.ts';
import type { Pruned } from '../rows.ts';
import { patience, type SqliteDatabase, type SqliteValue } from './driver.ts';
import {
  toAcknowledgedValues,
  toAnswerValues,
  toCounterValues,
  toEventValues,
  toLaneValues,
  toMessageValues,
} from './encode.ts';
import type { HighWater } from './integrity/mark.ts';

/**
 * What the writer thread is sent: of each table the values of all its rows, one row after the other. It travels as JSON,
 * which costs a third of what copying the rows from thread to thread does.
 */
export type CommitRequest = Readonly<{
  posted: readonly SqliteValue[];
  acknowledged: readonly (readonly SqliteValue[])[];
  lanes: readonly SqliteValue[];
  events: readonly SqliteValue[];
  answers: readonly SqliteValue[];
  pruned?: Pruned | undefined;
  counters: readonly SqliteValue[];
  decidedAt: number;
  /** Which refusals its sender knew of. */
  round: number;
  /** How far this commit goes; fence and time only of what it writes. */
  highWater: HighWater;
}>;

export function toCommitRequest(changes: BatchChanges, round: number): CommitRequest {
  const { posted, acknowledged, lanes, events, answers, pruned, counters, decidedAt } = changes;
  return {
    posted: toValues(posted, toMessageValues),
    acknowledged: acknowledged.map(toAcknowledgedValues),
    lanes: toValues(lanes, toLaneValues),
    events: toValues(events, toEventValues),
    answers: toValues(answers, toAnswerValues),
    pruned,
    counters: toCounterValues(counters, decidedAt),
    decidedAt,
    round,
    highWater: {
      messageId: counters.lastMessageId,
      eventId: counters.lastEventId,
      fence: Math.max(0, ...lanes.map(({ fence }) => fence)),
      // Nothing is missing when nothing but a probe is.
      clockMilliseconds: isEmpty(changes) ? 0 : decidedAt,
    },
  };
}

/** The values of all rows, one after the other. */
function toValues<Row>(rows: readonly Row[], valuesOf: (row: Row) => readonly SqliteValue[]): SqliteValue[] {
  const values: SqliteValue[] = [];
  for (const row of rows) values.push(...valuesOf(row));
  return values;
}

/** Ends the thread; everything else that it is sent is a `CommitRequest`. */
export const closeRequest = 'close';

/** The patience comes first: the driver may still be closing a connection of before. */
const pragmas = `
${patience}
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
`;

/** Every connection that may write: an answered commit survives a power cut. */
export function prepareForWriting(database: SqliteDatabase): void {
  database.exec(pragmas);
}

/** Keeps all requests in one transaction: all of them, or nothing and an exception. */
export function createRowWriter(database: SqliteDatabase): (requests: readonly CommitRequest[]) => void {
  const messages = createInserter(
    database,
    'INSERT INTO messages (id, topic, sender, body, action_flag, ts)',
    columnsOf.messages,
  );
  const acknowledged = database.prepare(
    'UPDATE messages SET acknowledged_by = ?, acknowledged_at = ? WHERE id = ?',
  );
  const lanes = createInserter(database, 'INSERT OR REPLACE INTO lanes', columnsOf.lanes);
  const events = createInserter(database, 'INSERT INTO events', columnsOf.events);
  const counters = database.prepare(
    `UPDATE counters SET last_message_id = ?, last_event_id = ?, message_count = ?, pending_flag_count = ?,
      pruned_message_id = ?, pruned_event_id = ?, clock_ms = max(clock_ms, ?)`,
  );
  const answers = createAnswerKeeper(database);

  const pruneMessages = database.prepare('DELETE FROM messages WHERE id <= ?');
  const pruneEvents = database.prepare('DELETE FROM events WHERE id <= ?');

  function writeRows(request: CommitRequest): void {
    messages(request.posted);
    for (const values of request.acknowledged) acknowledged.run(...values);
    lanes(request.lanes);
    events(request.events);
    if (request.answers.length > 0) answers.keep(request);
    if (request.pruned) {
      pruneEvents.run(request.pruned.eventId);
      pruneMessages.run(request.pruned.messageId);
    }
  }

  return (requests) => {
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const request of requests) writeRows(request);
      counters.run(...(requests.at(-1)?.counters ?? []));
      database.exec('COMMIT');
    } catch (error) {
      rollBack(database);
      answers.recount();
      throw error;
    }
  };
}

/** How many values a row has. */
const columnsOf = { messages: 6, events: 6, lanes: 7, answers: 4 };

/** Each run of a statement costs as much as three of its rows, so eight rows share one. */
const rowsAtOnce = 8;

function createInserter(database: SqliteDatabase, into: string, columns: number) {
  const row = `(${Array(columns).fill('?').join(', ')})`;
  const prepare = (rows: number) => database.prepare(`${into} VALUES ${Array(rows).fill(row).join(', ')}`);
  const [many, one] = [prepare(rowsAtOnce), prepare(1)];
  const valuesAtOnce = rowsAtOnce * columns;

  return (values: readonly SqliteValue[]): void => {
    let start = 0;
    for (; start + valuesAtOnce <= values.length; start += valuesAtOnce) {
      many.run(...values.slice(start, start + valuesAtOnce));
    }
    for (; start < values.length; start += columns) one.run(...values.slice(start, start + columns));
  };
}

/** Old answers leave a few at a time with the commits that bring new ones, so there is nothing to sweep. */
function createAnswerKeeper(database: SqliteDatabase) {
  const insert = createInserter(database, 'INSERT OR REPLACE INTO answers', columnsOf.answers);
  const oldest = 'SELECT key FROM answers WHERE kept_until < ? ORDER BY kept_until LIMIT ?';
  const forget = database.prepare(`DELETE FROM answers WHERE key IN (${oldest})`);
  const count = database.prepare('SELECT count(*) AS kept FROM answers');
  let kept: number | undefined;

  function keep({ answers, decidedAt }: CommitRequest): void {
    kept ??= (count.get() as { kept: number }).kept;
    insert(answers);
    kept += answers.length / columnsOf.answers;
    kept -= forgetBefore(decidedAt, forgottenAtOnceMax);
    const tooMany = kept - limits.idempotencyKeysKeptMax;
    if (tooMany > 0) kept -= forgetBefore(Number.MAX_SAFE_INTEGER, tooMany);
  }

  function forgetBefore(time: number, most: number): number {
    const { changes } = forget.run(time, most) as { changes: number | bigint };
    return Number(changes);
  }

  return {
    keep,
    /** What was counted for a transaction that was undone is not there. */
    recount(): void {
      kept = undefined;
    },
  };
}

const forgottenAtOnceMax = 100;

/** A full disk may have ended the transaction already. */
export function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // There was nothing left to undo.
  }
}
