import { patience, type SqliteDatabase } from './driver.ts';

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

/** A full disk may have ended the transaction already. */
export function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // There was nothing left to undo.
  }
}
