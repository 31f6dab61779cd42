import type { SqliteDatabase } from './driver.ts';
import { migrations } from './migrations/index.ts';

/**
 * Brings an older database to this version in one transaction; refuses a newer one, because what it holds would be
 * misread.
 */
export function migrate(database: SqliteDatabase, path: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > migrations.length) {
    throw new Error(
      `the database ${path} was written by a newer bus-mcp (its version is ${version}, this one knows ${migrations.length}): ` +
        'upgrade bus-mcp, or name another file with BUS_STORE',
    );
  }
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
