import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { SqliteDatabase } from '../driver.ts';
import { type Base, readBase, toMarkPath, writeBase } from './mark.ts';

/**
 * Notes in the mark how the database file is, the write-ahead log not counted, each time it is asked: after every
 * checkpoint, and before the next commit. A log is worth something only on top of the file that it was begun on: SQLite
 * replays it over any file, and what comes out is neither the one nor the other.
 *
 * Two pages stand for the file: the first, which lists the tables, and the one with the counters, which every commit
 * changes. The descriptor stays open: closing it would drop the locks that SQLite holds on the file in this process.
 */
export function createBaseKeeper(database: SqliteDatabase, path: string): () => void {
  const found = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'counters'").get();
  const numbers = [1, (found as { rootpage: number }).rootpage];
  const file = openSync(path, 'r');

  return () => {
    const bytes = readPageBytes(file);
    const pages = numbers.map((number) => ({ number, hash: readHash(file, (number - 1) * bytes, bytes) }));
    writeBase(toMarkPath(path), { pages });
  };
}

/** Where the file alone is the whole database, whoever opens it next may begin a log of their own. */
export function forgetBase(path: string): void {
  writeBase(toMarkPath(path), { pages: [] });
}

/**
 * Why the log beside the file belongs to another state of it; nothing when it fits, or when there is no log. Where a
 * checkpoint was cut short, a page is already as the log has it.
 */
export function findForeignBase(path: string): string | undefined {
  const base = readBase(toMarkPath(path));
  if (base?.pages.every((page) => isAsLeft(path, page)) ?? true) return undefined;
  // A bus that runs may have made a checkpoint meanwhile.
  if (JSON.stringify(readBase(toMarkPath(path))) !== JSON.stringify(base)) return findForeignBase(path);
  return 'another program overwrote the file while its write-ahead log held newer changes, and that log does not belong to what is there now';
}

/** Whoever begins would get a mixture of both, so no acceptance helps. */
export function checkBase(path: string): void {
  const finding = findForeignBase(path);
  if (finding === undefined) return;
  throw new Error(
    `the database ${path} cannot be used: ${finding}. Restore a backup with bus-mcp restore; or move ${path}-wal away to go on with the file alone, and the next start says what is missing then`,
  );
}

function isAsLeft(path: string, { number, hash }: Base['pages'][number]): boolean {
  const log = readFrames(`${path}-wal`, number);
  if (log === undefined) return true;
  const found = withFile(path, (file) => {
    const bytes = readPageBytes(file);
    return readHash(file, (number - 1) * bytes, bytes);
  });
  return found === hash || log.includes(found);
}

/** The contents that the log has of a page; nothing where there is no log. */
function readFrames(path: string, number: number): readonly string[] | undefined {
  try {
    return withFile(path, (file) => {
      const header = Buffer.alloc(logHeaderBytes);
      if (readSync(file, header, 0, logHeaderBytes, 0) < logHeaderBytes) return undefined;
      const bytes = header.readUInt32BE(pageBytesOfLogOffset);
      const frame = Buffer.alloc(frameHeaderBytes);
      const found: string[] = [];
      const { size } = fstatSync(file);
      for (let at = logHeaderBytes; at + frameHeaderBytes < size; at += frameHeaderBytes + bytes) {
        readSync(file, frame, 0, frameHeaderBytes, at);
        if (frame.readUInt32BE(0) === number) found.push(readHash(file, at + frameHeaderBytes, bytes));
      }
      return found;
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function readPageBytes(file: number): number {
  const field = Buffer.alloc(2);
  readSync(file, field, 0, 2, pageBytesOffset);
  const bytes = field.readUInt16BE(0);
  return bytes === 1 ? 65_536 : bytes;
}

function readHash(file: number, at: number, length: number): string {
  const page = Buffer.alloc(length);
  readSync(file, page, 0, length, at);
  return createHash('sha256').update(page).digest('hex').slice(0, 32);
}

function withFile<Read>(path: string, read: (file: number) => Read): Read {
  const file = openSync(path, 'r');
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}

/** Where SQLite's file formats have what. */
const [pageBytesOffset, pageBytesOfLogOffset, logHeaderBytes, frameHeaderBytes] = [16, 8, 32, 24];
