import { type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';
import { openLog } from './log.ts';

/** Checks the files that a commit relies on for changes by other programs while the bus runs. */
export type WatchedFiles = Readonly<{
  /** Why a write made now would not last, as a readable sentence; undefined when all is well. */
  findTrouble: () => string | undefined;
  /** Accepts the database file in its current state, after this process itself ran a checkpoint. */
  acceptChange: () => void;
  /** Whether the log is long enough for a checkpoint. */
  isLong: () => boolean;
  /** Makes sure that what a failed commit wrote cannot come back at the next start. Returns whether that worked. */
  voidFailed: () => boolean;
}>;

/**
 * Checks the files both by name and by content. SQLite would happily write to a file that no longer has a name,
 * behind a destroyed log header, or over a foreign copy; such rows would be acknowledged and then lost. So this
 * check runs before each commit, and again before the commit is acknowledged.
 *
 * How it detects a foreign write: only a checkpoint changes the database file, and this process runs its own
 * checkpoints between commits. So if the file's modification time differs from the one recorded here, another
 * program wrote to it. The one exception is a checkpoint by another SQLite connection, and the index of the log
 * shows that.
 */
export function watchFiles(path: string, noteBase: () => void): WatchedFiles {
  const [database, log, lock] = [watchFile(path), watchFile(`${path}-wal`), watchFile(`${path}.lock`)];
  const frames = openLog(path);
  let left = inspectFiles();
  noteBase();

  function inspectFiles() {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    return { size, mtimeMs, checkpoint: frames.readIndex().checkpoint };
  }

  function findTrouble(): string | undefined {
    for (const file of [database, log]) if (file.isReplaced()) return toReplaced(file.name);
    if (lock.isReplaced()) return toUnlocked(lock.name);
    const damage = frames.findDamage();
    if (damage) return toSentence[damage](log.name);
    return findDatabaseTrouble();
  }

  function findDatabaseTrouble(): string | undefined {
    const now = inspectFiles();
    if (now.size < left.size) return toSentence.cut(database.name);
    const isTouched = hasTimesOfChange && now.mtimeMs !== left.mtimeMs;
    if (isTouched && now.checkpoint === left.checkpoint) return toSentence.overwritten(database.name);
    if (now.checkpoint !== left.checkpoint) noteBase();
    left = now;
    return undefined;
  }

  function acceptChange(): void {
    left = inspectFiles();
    noteBase();
  }

  const isLong = () => frames.readIndex().frames >= checkpointFrames;
  return { findTrouble, acceptChange, isLong, voidFailed: frames.voidRest };
}

/** The number of pages the log may hold before a checkpoint: 16 MB. */
const checkpointFrames = 4_000;

/** Windows updates the modification time when a file is closed, not when it is written. */
const hasTimesOfChange = process.platform !== 'win32';

function watchFile(name: string) {
  const find = (): Stats | undefined => statSync(name, { throwIfNoEntry: false });
  const first = find();

  function isReplaced(): boolean {
    const found = find();
    return found?.ino !== first?.ino || found?.dev !== first?.dev;
  }

  return { name: basename(name), isReplaced };
}

function toReplaced(name: string): string {
  return `the file ${name} of the database was deleted or replaced while the bus ran (put it back, or stop the bus and restore a backup)`;
}

const toSentence = {
  cut: (name: string) =>
    `the file ${name} of the database lost its end while the bus ran (stop the bus and start it again: it says whether anything is missing)`,
  overwritten: (name: string) =>
    `the file ${name} of the database was overwritten by another program while the bus ran (stop the bus, check the database with bus-mcp verify, and restore a backup if it is not whole)`,
};

/** Whoever took the lock again writes to the same database. */
function toUnlocked(name: string): string {
  return `the file ${name} of the database was deleted or replaced while the bus ran, so another bus may have the database (stop this one and start it again)`;
}
