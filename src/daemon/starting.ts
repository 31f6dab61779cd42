import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Place } from './place.ts';
import { isAlive } from './processes.ts';

/** The right to start a bus, as long as nobody else has it. */
export type StartTurn = Readonly<{ end(): void }>;

/**
 * Takes the right to start a bus here, or nothing when another process has it.
 *
 * It spares a machine ten processes of which nine leave at once. That there is one bus for each file does not hang
 * on it: the lock of the database sees to that.
 */
export function takeStartTurn(
  { folder, startingFile }: Pick<Place, 'folder' | 'startingFile'>,
  millisecondsMax: number,
): StartTurn | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isLeftBehind(startingFile, millisecondsMax)) rmSync(startingFile, { force: true });
  try {
    const file = openSync(startingFile, 'wx', 0o600);
    writeSync(file, String(process.pid));
    closeSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  return { end: () => rmSync(startingFile, { force: true }) };
}

/** Whoever made it is gone, or should long have been done. */
function isLeftBehind(file: string, millisecondsMax: number): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > millisecondsMax) return true;
    const holder = Number(readFileSync(file, 'utf8'));
    return holder > 0 && !isAlive(holder);
  } catch {
    return false;
  }
}
