import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { SqliteDriver } from './driver.ts';
import { errorNumberOf } from './driver.ts';
import { checkCompanions, checkOnlyName } from './integrity/names.ts';
import { createPrivateFile } from './prepare.ts';

const errorBusy = 5;

/**
 * Allows only one bus process per database: two writers would block each other and corrupt what they share. The
 * operating system locks a separate lock file; that lock lasts exactly as long as the process. A locked file cannot
 * be read, so a text file beside it says who holds the lock.
 *
 * POSIX locks belong to the process, with a trap: when the process closes any descriptor of a file, it loses all its
 * locks on that file. So no code here opens the lock file or the database of a store that this process already
 * holds. Only SQLite does, and SQLite keeps such descriptors open until the locks are gone.
 */
export function lockDatabase(driver: SqliteDriver, path: string): { release: () => void } {
  checkNotHeldHere(path);
  checkCompanions(path);
  checkOnlyName(path);
  const lock = openLock(driver, path);
  const holderPath = `${path}.holder`;
  writeHolder(holderPath);
  const held = toIdentity(`${path}.lock`);
  heldHere.add(held);
  return {
    release() {
      heldHere.delete(held);
      rmSync(holderPath, { force: true });
      lock.close();
    },
  };
}

function openLock(driver: SqliteDriver, path: string) {
  createPrivateFile(path, '.lock');
  const lock = driver.open(`${path}.lock`);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (errorNumberOf(error) !== errorBusy && !/locked|busy/i.test(String(error))) throw error;
    throw new DatabaseHeldError(path, readHolder(`${path}.holder`));
  }
}

/** The databases that this process holds. A second copy of this package in the same process shares the set. */
const heldHere = toShared();

function toShared(): Set<string> {
  const key = Symbol.for('bus-mcp.databases-held');
  const shared = globalThis as { [key]?: Set<string> };
  shared[key] ??= new Set();
  return shared[key];
}

/** Must run before anything opens a database file. */
export function checkNotHeldHere(path: string): void {
  const lockPath = `${path}.lock`;
  if (!existsSync(lockPath) || !heldHere.has(toIdentity(lockPath))) return;
  throw new DatabaseHeldError(path, { pid: process.pid });
}

function toIdentity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

/** Another process already runs a bus on this database. */
export class DatabaseHeldError extends Error {
  readonly processId: number | undefined;

  constructor(path: string, holder: Readonly<{ pid?: number; since?: string }>) {
    const who = toWho(holder);
    super(
      `the database ${path} already has a bus: ${who}. ` +
        'Use that bus, stop it first, or name another file with BUS_STORE',
    );
    this.name = 'DatabaseHeldError';
    this.processId = holder.pid;
  }
}

function toWho({ pid, since }: Readonly<{ pid?: number; since?: string }>): string {
  if (pid === undefined) return 'another process';
  if (pid === process.pid) return 'this process itself';
  return `process ${pid}, since ${since}`;
}

/** The text only informs people; on a full disk the lock works without it. */
function writeHolder(path: string): void {
  const holder = { pid: process.pid, since: new Date().toISOString() };
  try {
    rmSync(path, { force: true });
    writeFileSync(path, JSON.stringify(holder), { mode: 0o600, flag: 'wx' });
  } catch {
    rmSync(path, { force: true });
  }
}

function readHolder(path: string): { pid?: number; since?: string } {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { pid?: number; since?: string };
  } catch {
    return {};
  }
}
