import { type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';

/** The files that a commit relies on, and what somebody else did to them while the bus ran. */
export type WatchedFiles = Readonly<{
  /** Why nothing may be written, for people; nothing when all is as it was left. */
  findTrouble: () => string | undefined;
  /** Whether one of them lost its end. */
  isCut: () => boolean;
  /** Takes the log as it is now for what this process left. */
  note: () => void;
}>;

/** Rows written to a file that has no name any more, or that lost its end, would be acknowledged and lost. */
export function watchFiles(path: string): WatchedFiles {
  const [database, log, lock] = [path, `${path}-wal`, `${path}.lock`].map(watch) as [
    Watched,
    Watched,
    Watched,
  ];

  function findTrouble(): string | undefined {
    for (const file of [database, log]) {
      const found = file.find();
      if (file.isReplaced(found)) return toReplaced(file.name);
      if (file.isCut(found)) return toCut(file.name);
    }
    return lock.isReplaced() ? toUnlocked(lock.name) : undefined;
  }

  return { findTrouble, isCut: () => database.isCut() || log.isCut(), note: log.note };
}

type Watched = ReturnType<typeof watch>;

function watch(name: string) {
  const find = () => statSync(name, { throwIfNoEntry: false });
  const first = find();
  let bytesLeft = 0;

  function isReplaced(found = find()): boolean {
    return found?.ino !== first?.ino || found?.dev !== first?.dev;
  }

  /** An empty log is one that somebody folded into the file, which is no harm. */
  function isCut(found = find()): boolean {
    const bytes = bytesOf(found);
    if (bytes > 0 && bytes < bytesLeft) return true;
    bytesLeft = bytes;
    return false;
  }

  function note(): void {
    bytesLeft = bytesOf(find());
  }

  return { name: basename(name), find, isReplaced, isCut, note };
}

function bytesOf(found: Stats | undefined): number {
  return found?.size ?? 0;
}

function toReplaced(name: string): string {
  return `the file ${name} of the database was deleted or replaced while the bus ran (put it back, or stop the bus and restore a backup)`;
}

function toCut(name: string): string {
  return `the file ${name} of the database lost its end while the bus ran (stop the bus and start it again: it says whether anything is missing)`;
}

/** Whoever took the lock anew writes to the same database. */
function toUnlocked(name: string): string {
  return `the file ${name} of the database was deleted or replaced while the bus ran, so another bus may have the database (stop this one and start it again)`;
}
