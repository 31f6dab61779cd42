import { existsSync, statSync } from 'node:fs';
import type { Notify } from '../../notice.ts';
import type { SqliteDatabase, SqliteDriver } from '../driver.ts';
import { checkIsOwn, readVersion } from '../migrate.ts';
import { toStartError } from '../prepare.ts';
import { checkBase } from './base.ts';
import { type HighWater, hasGivenMore, higher, isAhead, lowest, readMarkFile, toMarkPath } from './mark.ts';
import { checkUnused } from './names.ts';

/** What the mark of a database says is missing from it. */
export type Loss = Readonly<{ facts: string; remedy: string; sentence: string }>;

type Asked = Readonly<{ path: string; acceptLoss: boolean; notify?: Notify | undefined }>;

/**
 * Compares the database with its high-water mark. Throws when acknowledged rows are missing, or when that cannot be
 * determined, unless the loss is accepted. In that case it returns the mark: ids and fences must continue above it,
 * so that none is ever handed out twice.
 *
 * This function only reads. When a connection with write access closes, SQLite folds the write-ahead log into the
 * file and deletes the log, and with it everything that could still be repaired.
 */
export function checkForLoss(driver: SqliteDriver, asked: Asked): HighWater | undefined {
  const { path, acceptLoss, notify } = asked;
  rollBackFirstStart(driver, path);
  checkBase(path);
  const { mark, found, loss } = compareWithMark(driver, path);
  if (loss && !acceptLoss) throw new Error(loss.sentence);
  if (!mark && found) checkUnused(path);
  if (!mark && found) notify?.({ level: 'warn', message: toUnmarkedSentence(path) });
  if (acceptLoss) notify?.({ level: 'warn', message: toAcceptedSentence(loss) });
  return loss && mark !== 'unreadable' ? mark : undefined;
}

/**
 * Whether the very first start was killed while it created the tables. Until those exist the file has a rollback
 * journal instead of a write-ahead log, and a read-only connection may not roll that back.
 */
export function isFirstStartUnfinished(path: string): boolean {
  return (statSync(`${path}-journal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Before the tables existed nothing can have been acknowledged. */
function rollBackFirstStart(driver: SqliteDriver, path: string): void {
  if (!isFirstStartUnfinished(path)) return;
  const database = driver.open(path);
  try {
    database.exec('SELECT count(*) FROM sqlite_master');
  } catch (error) {
    throw toStartError(error, path);
  } finally {
    database.close();
  }
}

/**
 * Only reads. The mark is written after each commit, so read it before the rows: then it can only be ahead of them
 * if rows are missing.
 */
export function compareWithMark(driver: SqliteDriver, path: string) {
  const mark = readMarkFile(toMarkPath(path));
  const found = readIfAny(driver, path);
  return { mark, found, loss: findLoss(path, mark, found ?? lowest) };
}

/** How far the rows themselves go. */
export function readHighWater(database: SqliteDatabase): HighWater {
  return database
    .prepare(
      `SELECT last_message_id AS messageId, last_event_id AS eventId, clock_ms AS clockMilliseconds,
       max(fence_floor, (SELECT ifnull(max(fence), 0) FROM lanes)) AS fence FROM counters`,
    )
    .get() as HighWater;
}

export function findLoss(
  path: string,
  mark: ReturnType<typeof readMarkFile>,
  found: HighWater,
): Loss | undefined {
  if (mark === 'unreadable') return toUnreadableLoss(path);
  return mark && isAhead(mark, found) ? toLoss(path, mark, found) : undefined;
}

/** Continues ids and fences above the mark, and records the skipped ids as missing. */
export function goOnAbove(database: SqliteDatabase, mark: HighWater): void {
  const found = readHighWater(database);
  const { messageId, eventId, fence, clockMilliseconds } = higher(mark, found);
  database.exec('BEGIN IMMEDIATE');
  const hole = database.prepare('INSERT INTO holes VALUES (?, ?, ?)');
  if (messageId > found.messageId) hole.run('messages', found.messageId + 1, messageId);
  if (eventId > found.eventId) hole.run('events', found.eventId + 1, eventId);
  database
    .prepare('UPDATE counters SET last_message_id = ?, last_event_id = ?, clock_ms = ?')
    .run(messageId, eventId, clockMilliseconds);
  if (hasGivenMore(mark, found)) {
    database.prepare('UPDATE counters SET fence_floor = ?').run(fence);
    keepNumbersAbove(database, Math.max(eventId - found.eventId, 0));
    // The lost part of the log may have granted a lane to somebody. That grant, the older holder that the remaining
    // rows still show, and the next holder must all have different fences.
    database.prepare('UPDATE lanes SET fence = max(fence, ? + (owner IS NOT NULL))').run(fence);
  }
  database.exec('COMMIT');
}

/**
 * Each event that is lost may have told of an agent with a new number, so the numbers of all stems go on above so many.
 * They stand under the stem that no client has. A database of an older version gave none.
 */
function keepNumbersAbove(database: SqliteDatabase, eventsLost: number): void {
  const hasStems = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'stems'").get() !== undefined;
  if (!hasStems || eventsLost === 0) return;
  const floor = 'SELECT ifnull(max(last_number), 0) FROM stems';
  database.prepare(`INSERT OR REPLACE INTO stems VALUES ('', (${floor}) + ?)`).run(eventsLost);
}

/** Undefined when no bus has stored anything yet. */
function readIfAny(driver: SqliteDriver, path: string): HighWater | undefined {
  if (!existsSync(path)) return undefined;
  const database = driver.open(path, { readOnly: true });
  try {
    checkIsOwn(database, path);
    return readVersion(database) === 0 ? undefined : readHighWater(database);
  } catch (error) {
    throw toStartError(error, path);
  } finally {
    database.close();
  }
}

/** Says how much is missing, and what to do about it. */
function toLoss(path: string, mark: HighWater, found: HighWater): Loss {
  const facts = hasGivenMore(mark, found) ? toMissingRows(mark, found) : toMissingChanges(mark, found);
  const remedy =
    'put the missing file or a backup back with bus-mcp restore, or go on without them with --accept-loss: ids and fences then continue above the old ones';
  const sentence = `the database ${path} lost what it had acknowledged: ${facts}. ${toBeginning(remedy)}`;
  return { facts, remedy, sentence };
}

function toMissingRows(mark: HighWater, found: HighWater): string {
  const messages = Math.max(mark.messageId - found.messageId, 0);
  const events = Math.max(mark.eventId - found.eventId, 0);
  return (
    `${messages} messages and ${events} events are missing ` +
    `(it ends at message ${found.messageId}, but message ${mark.messageId} was acknowledged)`
  );
}

function toMissingChanges(mark: HighWater, found: HighWater): string {
  const [last, acknowledged] = [found, mark].map(({ clockMilliseconds }) =>
    new Date(clockMilliseconds).toISOString(),
  );
  return (
    'no message and no event is missing, but other changes are, such as renewals of leases ' +
    `(its last change is from ${last}, but one from ${acknowledged} was acknowledged)`
  );
}

function toUnreadableLoss(path: string): Loss {
  const facts = `its mark ${toMarkPath(path)} cannot be read, so nobody knows whether anything is missing`;
  const remedy =
    'put the mark back, or a backup with bus-mcp restore; or go on with what is there with --accept-loss';
  const sentence = `the database ${path} may have lost what it had acknowledged: ${facts}. ${toBeginning(remedy)}`;
  return { facts, remedy, sentence };
}

function toBeginning(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function toUnmarkedSentence(path: string): string {
  return (
    `the database ${path} has no mark beside it, so nobody knows whether anything acknowledged is missing: ` +
    'a new mark begins with what is there'
  );
}

/** Somebody who leaves the setting on would not hear of the next loss. */
function toAcceptedSentence(loss: Loss | undefined): string {
  if (loss) return `a loss was accepted: ${loss.facts}`;
  return (
    'nothing was lost, and --accept-loss (BUS_ACCEPT_LOSS) is set: ' +
    'unset it, or every later loss is accepted as well'
  );
}
