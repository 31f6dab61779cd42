import { limits } from '../../contract/limits.ts';
import type { BatchChanges } from '../batch.ts';
import type { SqliteDatabase } from './driver.ts';
import {
  toAcknowledgedValues,
  toAnswerValues,
  toCounterValues,
  toEventValues,
  toLaneValues,
  toMessageValues,
} from './encode.ts';

/** What the writer thread is sent: a commit's rows, without what only lives in memory. */
export type CommitRequest = Omit<BatchChanges, 'queues'>;

/** The patience comes first: the driver may still be closing a connection of before. */
const pragmas = `
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
`;

/** Every connection that may write: an answered commit survives a power cut. */
export function prepareForWriting(database: SqliteDatabase): void {
  database.exec(pragmas);
}

/** Keeps each request in one transaction: all of it, or nothing and an exception. */
export function createRowWriter(database: SqliteDatabase): (request: CommitRequest) => void {
  const message = database.prepare(
    'INSERT INTO messages (id, topic, sender, body, action_flag, ts) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const acknowledged = database.prepare(
    'UPDATE messages SET acknowledged_by = ?, acknowledged_at = ? WHERE id = ?',
  );
  const lane = database.prepare('INSERT OR REPLACE INTO lanes VALUES (?, ?, ?, ?, ?, ?, ?)');
  const event = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)');
  const counters = database.prepare(
    `UPDATE counters SET last_message_id = ?, last_event_id = ?, message_count = ?, pending_flag_count = ?,
      pruned_message_id = ?, pruned_event_id = ?, clock_ms = ?`,
  );
  const answers = createAnswerKeeper(database);

  const pruneMessages = database.prepare('DELETE FROM messages WHERE id <= ?');
  const pruneEvents = database.prepare('DELETE FROM events WHERE id <= ?');

  function writeRows(request: CommitRequest): void {
    for (const row of request.posted) message.run(...toMessageValues(row));
    for (const row of request.acknowledged) acknowledged.run(...toAcknowledgedValues(row));
    for (const row of request.lanes) lane.run(...toLaneValues(row));
    for (const row of request.events) event.run(...toEventValues(row));
    if (request.answers.length > 0) answers.keep(request);
    if (request.pruned) {
      pruneEvents.run(request.pruned.eventId);
      pruneMessages.run(request.pruned.messageId);
    }
    counters.run(...toCounterValues(request.counters, request.decidedAt));
  }

  return (request) => {
    database.exec('BEGIN IMMEDIATE');
    try {
      writeRows(request);
      database.exec('COMMIT');
    } catch (error) {
      rollBack(database);
      answers.recount();
      throw error;
    }
  };
}

/** Old answers leave a few at a time with the commits that bring new ones, so there is nothing to sweep. */
function createAnswerKeeper(database: SqliteDatabase) {
  const insert = database.prepare('INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)');
  const oldest = 'SELECT key FROM answers WHERE kept_until < ? ORDER BY kept_until LIMIT ?';
  const forget = database.prepare(`DELETE FROM answers WHERE key IN (${oldest})`);
  const count = database.prepare('SELECT count(*) AS kept FROM answers');
  let kept: number | undefined;

  function keep({ answers, decidedAt }: CommitRequest): void {
    kept ??= (count.get() as { kept: number }).kept;
    for (const row of answers) insert.run(...toAnswerValues(row));
    kept += answers.length;
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
