import { busyTimeout, type SqliteDatabase } from './driver.ts';

/** The busy timeout comes first: the driver may still be closing an earlier connection. */
const pragmas = `
${busyTimeout}
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
`;

/** For every connection that may write: an acknowledged commit survives a power cut. */
export function prepareForWriting(database: SqliteDatabase): void {
  database.exec(pragmas);
}

/** A full disk may already have ended the transaction. */
export function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // There was nothing left to roll back.
  }
}
