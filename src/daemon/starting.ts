import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Place } from './place.ts';
import { lookAtProcess, type ProcessIdentity, readOwnIdentity } from './processes.ts';

/** The right to start a bus, as long as nobody else has it. */
export type StartTurn = Readonly<{ end(): void }>;

/**
 * Takes the right to start a bus here, or nothing when another process has it.
 *
 * It spares a machine ten processes of which nine leave at once. It does not make sure that each file has one bus: the
 * lock of the database does that.
 */
export function takeStartTurn(
  { folder, startingFile }: Pick<Place, 'folder' | 'startingFile'>,
  millisecondsMax: number,
): StartTurn | undefined {
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

/** Whether the process that made it is gone, or should long have been done. */
function isLeftBehind(file: string, millisecondsMax: number): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > millisecondsMax) return true;
    return lookAtProcess(JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity) === 'gone';
  } catch {
    return false;
  }
}
