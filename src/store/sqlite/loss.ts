import type { SqliteDatabase } from './driver.ts';
import { type HighWater, higher, isAhead, openMarkFile } from './mark.ts';

/**
 * Compares the database with its high-water mark. Throws when acknowledged rows are gone, unless the loss is
 * accepted: then ids and fences go on above the mark, so that none is ever handed out twice.
 */
export function checkForLoss(
  database: SqliteDatabase,
  { path, acceptLoss }: Readonly<{ path: string; acceptLoss: boolean }>,
): void {
  const file = openMarkFile(toMarkPath(path));
  try {
    const mark = file.read();
    if (!mark) return;
    const found = readHighWater(database);
    if (!isAhead(mark, found)) return;
    if (!acceptLoss) throw new Error(toLossSentence(path, mark, found));
    goOnAbove(database, mark);
  } finally {
    file.close();
  }
}

export function toMarkPath(path: string): string {
  return `${path}.mark`;
}

/** How far the rows themselves go. */
export function readHighWater(database: SqliteDatabase): HighWater {
  return database
    .prepare(
      `SELECT last_message_id AS messageId, last_event_id AS eventId,
       max(fence_floor, (SELECT ifnull(max(fence), 0) FROM lanes)) AS fence FROM counters`,
    )
    .get() as HighWater;
}

/** Ids and fences go on above the mark, and the ids in between are noted as gone. */
export function goOnAbove(database: SqliteDatabase, mark: HighWater): void {
  const found = readHighWater(database);
  const { messageId, eventId, fence } = higher(mark, found);
  database.exec('BEGIN IMMEDIATE');
  const hole = database.prepare('INSERT INTO holes VALUES (?, ?, ?)');
  if (messageId > found.messageId) hole.run('messages', found.messageId + 1, messageId);
  if (eventId > found.eventId) hole.run('events', found.eventId + 1, eventId);
  database
    .prepare('UPDATE counters SET last_message_id = ?, last_event_id = ?, fence_floor = ?')
    .run(messageId, eventId, fence);
  // Whoever was granted a lane in the part that is gone must be told from whoever held it before, and holds it still
  // as far as is known, as well as from whoever holds it next.
  database.prepare('UPDATE lanes SET fence = max(fence, ? + (owner IS NOT NULL))').run(fence);
  database.exec('COMMIT');
}

/** Says how much is gone, and what to do about it. */
export function toLossSentence(path: string, mark: HighWater, found: HighWater): string {
  const messages = Math.max(mark.messageId - found.messageId, 0);
  const events = Math.max(mark.eventId - found.eventId, 0);
  return (
    `the database ${path} lost what it had acknowledged: ${messages} messages and ${events} events are gone ` +
    `(it ends at message ${found.messageId}, acknowledged were ${mark.messageId}). ` +
    'Put the missing file or a backup back with bus-mcp restore, or go on without them with --accept-loss: ids and fences then continue above the old ones'
  );
}
