import type { SqliteDatabase } from './driver.ts';
import { migrations } from './migrations/index.ts';

/**
 * Brings an older database to this version in one transaction; refuses a newer one, because what it holds would be
 * misread.
 */
export function migrate(database: SqliteDatabase, path: string): void {
  const version = readVersion(database);
  checkNotNewer(version, path);
  if (version === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

export function readVersion(database: SqliteDatabase): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

export function checkNotNewer(version: number, path: string): void {
  if (version <= migrations.length) return;
  throw new Error(
    `the database ${path} was written by a newer bus-mcp (its version is ${version}, this one knows ${migrations.length}): ` +
      'upgrade bus-mcp, or name another file with BUS_STORE',
  );
}
