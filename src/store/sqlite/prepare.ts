import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { checkSchema } from './check-schema.ts';
import { busyTimeout, errorNumberOf, type SqliteDatabase, type SqliteDriver } from './driver.ts';
import { findCondition, lacksSharedMemory } from './errors.ts';
import { checkIsOwn, checkNotNewer, migrate, readVersion, toForeign } from './migrate.ts';
import { prepareForWriting } from './transactions.ts';

/**
 * Refuses a file that no bus created, before anything in it or beside it is touched: its first bytes tell. A
 * database whose tables are still in the write-ahead log can only be recognised once it is open.
 */
export function checkFile(path: string): void {
  if (!existsSync(path)) return;
  if (!statSync(path).isFile())
    throw new Error(`the database ${path} is not a file: name one with BUS_STORE`);
  const header = readHeader(path);
  // SQLite treats a file with a few characters in it as empty, and overwrites them.
  if (header.length === 0) return;
  if (!header.subarray(0, signature.length).equals(signature)) throw toDamaged(path);
  const version = header.readUInt32BE(versionOffset);
  checkNotNewer(version, path);
  const isOfOthers = header.readUInt32BE(applicationOffset) !== 0;
  if (isOfOthers || (version === 0 && hasTables(header))) throw toForeign(path);
}

const signature = Buffer.from('SQLite format 3\0', 'latin1');

/** Byte offsets in SQLite's file format. A bus leaves the application number at 0. */
const [versionOffset, applicationOffset, pageKindOffset, cellCountOffset, headerBytes] = [
  60, 68, 100, 103, 105,
];

/** The first page is the root of the list of tables. A leaf without cells means that the list is empty. */
function hasTables(header: Buffer): boolean {
  const leafKind = 0x0d;
  return header[pageKindOffset] !== leafKind || header.readUInt16BE(cellCountOffset) > 0;
}

/** Returns nothing for an empty file, otherwise a full header, even if the file is shorter. */
function readHeader(path: string): Buffer {
  try {
    const header = Buffer.alloc(headerBytes);
    const file = openSync(path, 'r');
    const length = readSync(file, header);
    closeSync(file);
    return length === 0 ? Buffer.alloc(0) : header;
  } catch (error) {
    throw toUnusable(path, 'read', error);
  }
}

/** What agents write to each other is private, so the file and its folder are created for this user only. */
export function createPrivateFile(path: string, suffix = ''): void {
  const file = `${path}${suffix}`;
  try {
    createFolders(dirname(file));
    closeSync(openSync(file, toAppendWithoutLinks, 0o600));
  } catch (error) {
    throw toUnusable(path, 'written', error);
  }
}

/** In a folder that others can write to, a link could lead to any file of this user. Windows has no such flag. */
const toAppendWithoutLinks =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

/**
 * Creates the folder and its parents one by one, for this user only. When Node.js creates all of them at once, it
 * retries forever under paths that cannot have folders, such as below /proc.
 */
export function createFolders(folder: string): void {
  if (existsSync(folder)) return;
  createFolders(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have created it in the meantime.
    if (!existsSync(folder)) throw error;
  }
}

/** Brings the file to this version, and runs `check` on it before anybody uses it. */
export function prepareFile(
  driver: SqliteDriver,
  path: string,
  check: (database: SqliteDatabase) => void = () => {},
): void {
  const database = driver.open(path);
  try {
    // The driver may still be closing an earlier connection.
    database.exec(busyTimeout);
    checkMade(database, path);
    migrate(database, path);
    prepareForWriting(database);
    check(database);
    keepPrivate(path);
  } catch (error) {
    throw toStartError(error, path);
  } finally {
    database.close();
  }
}

/** Existing tables must be exactly those that a bus creates: a foreign trigger would run inside our first write. */
function checkMade(database: SqliteDatabase, path: string): void {
  checkIsOwn(database, path);
  if (readVersion(database) > 0) checkSchema(database, path);
}

function keepPrivate(path: string): void {
  if (process.platform === 'win32') return;
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    throw toUnusable(path, 'kept private', error);
  }
}

function toUnusable(path: string, action: 'read' | 'written' | 'kept private', error: unknown): Error {
  const { code: reason = String(error) } = error as NodeJS.ErrnoException;
  const advice = advices[reason] ?? 'make its folder writable for this user';
  return new Error(
    `the database ${path} cannot be ${action} (${reason}): ${advice}, or name another file with BUS_STORE`,
  );
}

const advices: Readonly<Record<string, string>> = {
  ELOOP: 'remove the link that stands there',
  ENOSPC: 'make room on its disk',
  EDQUOT: 'make room within the quota of this user',
  EROFS: 'mount its file system so that it can be written',
};

/** Turns what a damaged file or a failing disk reports at startup into a readable sentence. */
export function toStartError(error: unknown, path: string): unknown {
  if (/not a database|malformed/i.test(String(error))) return toDamaged(path);
  const condition = findCondition(errorNumberOf(error));
  if (condition === undefined) return error;
  const remedy = lacksSharedMemory(errorNumberOf(error))
    ? 'name a file in a folder of a local disk with BUS_STORE, or use PostgreSQL'
    : 'fix that, or name another file with BUS_STORE';
  return new Error(`the database ${path} cannot be used, because ${condition}: ${remedy}`);
}

function toDamaged(path: string): Error {
  return new Error(
    `the file ${path} is damaged or not a database: restore a backup, or name another file with BUS_STORE`,
  );
}
