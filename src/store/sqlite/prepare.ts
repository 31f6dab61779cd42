import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorNumberOf, type SqliteDatabase, type SqliteDriver } from './driver.ts';
import { findCondition } from './errors.ts';
import { migrate } from './migrate.ts';
import { prepareForWriting } from './write.ts';

/** The same file by another name is the same database, and has the same lock and the same mark. */
export function toRealPath(file: string): string {
  const path = resolve(file);
  if (existsSync(path)) return realpathSync(path);
  const folder = dirname(path);
  return existsSync(folder) ? join(realpathSync(folder), basename(path)) : path;
}

/** What agents write to each other is nobody else's: the file and its folder are made for the user alone. */
export function createPrivateFile(path: string, suffix = ''): void {
  const file = `${path}${suffix}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    if (process.platform !== 'win32') chmodSync(file, 0o600);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Error(
      `the database ${path} cannot be written (${reason}): ` +
        'make its folder writable for this user, or name another file with BUS_STORE',
    );
  }
}

/** Brings the file to this version, and lets `check` look at it before anybody uses it. */
export function prepareFile(
  driver: SqliteDriver,
  path: string,
  check: (database: SqliteDatabase) => void = () => {},
): void {
  checkIsDatabase(path);
  const database = driver.open(path);
  try {
    prepareForWriting(database);
    migrate(database, path);
    check(database);
  } catch (error) {
    throw toStartError(error, path);
  } finally {
    database.close();
  }
}

/** SQLite itself takes a file with a few characters in it for an empty one, and writes over them. */
export function checkIsDatabase(path: string): void {
  const beginning = Buffer.alloc(signature.length);
  const file = openSync(path, 'r');
  const length = readSync(file, beginning);
  closeSync(file);
  if (length > 0 && !beginning.equals(signature)) throw toDamaged(path);
}

const signature = Buffer.from('SQLite format 3\0', 'latin1');

function toStartError(error: unknown, path: string): unknown {
  if (/not a database|malformed/i.test(String(error))) return toDamaged(path);
  const condition = findCondition(errorNumberOf(error));
  if (condition === undefined) return error;
  return new Error(
    `the database ${path} cannot be used, because ${condition}: mend that, or name another file with BUS_STORE`,
  );
}

function toDamaged(path: string): Error {
  return new Error(
    `the file ${path} is damaged or no database: restore a backup, or name another file with BUS_STORE`,
  );
}
