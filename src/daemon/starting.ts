import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Place } from './place.ts';
import { checkProcess, type ProcessIdentity, readOwnIdentity } from './processes.ts';

/** The exclusive right to start a bus. */
export type StartLock = Readonly<{ end(): void }>;

/**
 * Takes the start lock; returns undefined when another process has it.
 *
 * The lock only saves work: without it ten clients would start ten processes, and nine would exit at once. It does
 * not guarantee one bus per database file; the lock of the database does that.
 */
export function takeStartLock(
  { folder, startingFile }: Pick<Place, 'folder' | 'startingFile'>,
  millisecondsMax: number,
): StartLock | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isLeftBehind(startingFile, millisecondsMax)) rmSync(startingFile, { force: true });
  try {
    const file = openSync(startingFile, 'wx', 0o600);
    writeSync(file, JSON.stringify(readOwnIdentity()));
    closeSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  return { end: () => rmSync(startingFile, { force: true }) };
}

/** Whether the process that created the lock is gone, or should have finished long ago. */
function isLeftBehind(file: string, millisecondsMax: number): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > millisecondsMax) return true;
    return checkProcess(JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity) === 'gone';
  } catch {
    return false;
  }
}
