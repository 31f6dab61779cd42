import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { SqliteDriver } from './driver.ts';
import { errorNumberOf } from './driver.ts';
import { checkCompanions, checkOnlyName } from './integrity/names.ts';
import { createPrivateFile } from './prepare.ts';

const errorBusy = 5;

/**
 * One bus process for each database, ever: two writers starve each other and corrupt what they share. The operating
 * system's lock on a file of its own holds as long as the process lives and cannot outlive it; who has it stands in
 * a text beside it, because a locked file cannot be read.
 *
 * POSIX locks belong to the process: when it closes any descriptor of a file, it loses all its locks on that file. So
 * nothing here opens the lock or the database of a store that this process already holds, except SQLite, which keeps
 * such descriptors open until the locks are gone.
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

/** The databases that this process holds, also for a second copy of this package that was loaded into it. */
const heldHere = toShared();

function toShared(): Set<string> {
  const key = Symbol.for('bus-mcp.databases-held');
  const shared = globalThis as { [key]?: Set<string> };
  shared[key] ??= new Set();
  return shared[key];
}

/** Comes before anything opens a file of the database. */
export function checkNotHeldHere(path: string): void {
  const lockPath = `${path}.lock`;
  if (!existsSync(lockPath) || !heldHere.has(toIdentity(lockPath))) return;
  throw new DatabaseHeldError(path, { pid: process.pid });
}

function toIdentity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

/** Another process is the bus of this database. */
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

/** It only tells people who it is: on a full disk the lock holds without it. */
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
