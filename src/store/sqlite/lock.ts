import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { SqliteDriver } from './driver.ts';
import { errorNumberOf } from './driver.ts';
import { createPrivateFile } from './prepare.ts';

const errorBusy = 5;

/**
 * One bus process for each database, ever: two writers starve each other and corrupt what they share. The operating
 * system's lock on a file of its own holds as long as the process lives and cannot outlive it; who has it stands in
 * a text beside it, because a locked file cannot be read.
 */
export function lockDatabase(driver: SqliteDriver, path: string): { release: () => void } {
  const holderPath = `${path}.holder`;
  createPrivateFile(path, '.lock');
  const lock = driver.open(`${path}.lock`);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (errorNumberOf(error) !== errorBusy && !/locked|busy/i.test(String(error))) throw error;
    throw new DatabaseHeldError(path, readHolder(holderPath));
  }
  writeHolder(holderPath);
  return {
    release() {
      rmSync(holderPath, { force: true });
      lock.close();
    },
  };
}

/** Another process is the bus of this database. */
export class DatabaseHeldError extends Error {
  readonly processId: number | undefined;

  constructor(path: string, holder: Readonly<{ pid?: number; since?: string }>) {
    const who = holder.pid === undefined ? 'another process' : `process ${holder.pid}, since ${holder.since}`;
    super(
      `the database ${path} already has a bus: ${who}. ` +
        'Use that bus, stop it first, or name another file with BUS_STORE',
    );
    this.name = 'DatabaseHeldError';
    this.processId = holder.pid;
  }
}

/** It only tells people who it is: on a full disk the lock holds without it. */
function writeHolder(path: string): void {
  const holder = { pid: process.pid, since: new Date().toISOString() };
  try {
    writeFileSync(path, JSON.stringify(holder), { mode: 0o600 });
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
