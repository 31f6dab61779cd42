import { migrations } from '../migrations/index.ts';
import type { SqliteDatabase } from './driver.ts';
import { rollBack } from './transactions.ts';

/**
 * Brings an older database to this version in one transaction. Refuses a newer one, which this version would
 * misread, and the database of another application. Tests pass their own steps.
 */
export function migrate(database: SqliteDatabase, path: string, steps = migrations): void {
  const version = readVersion(database);
  checkIsOwn(database, path, steps.length);
  if (version === steps.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const { sqlite } of steps.slice(version)) database.exec(sqlite);
    database.exec(`PRAGMA user_version = ${steps.length}`);
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

export function readVersion(database: SqliteDatabase): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

export function checkNotNewer(version: number, path: string, known = migrations.length): void {
  if (version <= known) return;
  throw new Error(
    `the database ${path} was written by a newer bus-mcp (its version is ${version}, this one knows ${known}): ` +
      'upgrade bus-mcp, or name another file with BUS_STORE',
  );
}

/** The database belongs to another application and must not be changed. */
export class ForeignDatabaseError extends Error {}

export function toForeign(path: string): Error {
  return new ForeignDatabaseError(
    `the file ${path} is the database of another application: name another file with BUS_STORE`,
  );
}

/**
 * Without this check our tables would be added to another application's database. One of ours has no tables yet, or
 * it has `counters`.
 */
export function checkIsOwn(database: SqliteDatabase, path: string, known = migrations.length): void {
  const version = readVersion(database);
  checkNotNewer(version, path, known);
  const sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'";
  const names = (database.prepare(sql).all() as { name: string }[]).map(({ name }) => name);
  if (version === 0 ? names.length > 0 : !names.includes('counters')) throw toForeign(path);
}
