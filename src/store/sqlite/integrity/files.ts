import { type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';
import { openLog } from './log.ts';

/** The files that a commit relies on, and what somebody else did to them while the bus ran. */
export type WatchedFiles = Readonly<{
  /** Why nothing written now would last, for people; nothing when all is as it was left. */
  findTrouble: () => string | undefined;
  /** Takes the database file as it is now for what this process left: after a checkpoint of its own. */
  note: () => void;
  /** Whether the log is long enough to be folded into the database. */
  isLong: () => boolean;
  /** Whether what a failed commit wrote can surely not come back at the next start. */
  voidFailed: () => boolean;
}>;

/**
 * Watches the files by name and by content. Rows that are written to a file without a name, behind a destroyed header
 * or over a foreign copy would be acknowledged and lost, so this is asked before each commit, and once more before the
 * commit is acknowledged.
 *
 * Only a checkpoint changes the database file, and this process makes its own between two commits. So a time of change
 * that is not the noted one means that another program wrote into the file, unless the index of the log says that
 * the other program made a checkpoint.
 */
export function watchFiles(path: string): WatchedFiles {
  const [database, log, lock] = [watch(path), watch(`${path}-wal`), watch(`${path}.lock`)];
  const frames = openLog(path);
  let left = look();

  function look() {
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
    const now = look();
    if (now.size < left.size) return toSentence.cut(database.name);
    const isTouched = hasTimesOfChange && now.mtimeMs !== left.mtimeMs;
    if (isTouched && now.checkpoint === left.checkpoint) return toSentence.overwritten(database.name);
    left = now;
    return undefined;
  }

  function note(): void {
    left = look();
  }

  const isLong = () => frames.readIndex().frames >= checkpointFrames;
  return { findTrouble, note, isLong, voidFailed: frames.voidRest };
}

/** So many pages wait in the log before they are folded into the database: 16 MB. */
const checkpointFrames = 4_000;

/** Windows notes the time when a file is closed, and not when it is written. */
const hasTimesOfChange = process.platform !== 'win32';

function watch(name: string) {
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
    `the file ${name} of the database was overwritten by another program while the bus ran (stop the bus, look at the database with bus-mcp verify, and restore a backup if it is not whole)`,
};

/** Whoever took the lock anew writes to the same database. */
function toUnlocked(name: string): string {
  return `the file ${name} of the database was deleted or replaced while the bus ran, so another bus may have the database (stop this one and start it again)`;
}
