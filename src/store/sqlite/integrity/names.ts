import { lstatSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Refuses a database file that can be reached under a second name.
 *
 * SQLite finds the write-ahead log by the file's name, and a bus keeps its lock and its mark beside that name as
 * well. Two buses that reach one file under two names would not see each other's lock or log, and both would grant
 * the same lane.
 *
 * A file can get a second name in two ways. One is a hard link; the file itself counts those. The other is a mount
 * of just that file; the list of mounts shows it. Symbolic links are resolved before this check, and a mount of the
 * whole folder includes the lock.
 */
export function checkOnlyName(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (found.nlink > 1 && found.isFile()) throw new Error(toLinkedSentence(path, found.nlink));
  if (isMountPoint(path)) throw new Error(toMountedSentence(path));
}

/** The files beside a database that a bus writes. */
const companionSuffixes = ['.lock', '.holder', '.mark', '.mark.unfinished', '-wal', '-shm', '-journal'];

/**
 * Refuses a symbolic link where a bus is about to write. Anyone with write access to the folder could point it at
 * any other file.
 */
export function checkCompanions(path: string): void {
  for (const suffix of companionSuffixes) {
    if (!lstatSync(`${path}${suffix}`, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
    throw new Error(
      `the file ${path}${suffix} is a link, and the bus makes none: find out who made it and remove it, or name another file with BUS_STORE`,
    );
  }
}

/** What other users could do to the database, as a sentence for the log; undefined when they can do nothing. */
export function findUnsafe(path: string, user = process.getuid?.()): string | undefined {
  if (user === undefined) return undefined;
  const [file, folder] = [statSync(path), statSync(dirname(path))];
  if (file.uid !== user) {
    return `the database ${path} belongs to another user (${file.uid}; this bus runs as ${user}): that user can read and change it, and may not be able to use the files that this bus makes beside it`;
  }
  const isOthers = folder.uid !== user && folder.uid !== 0;
  const isOpen = (folder.mode & 0o022) !== 0 && (folder.mode & 0o1000) === 0;
  if (!isOthers && !isOpen) return undefined;
  return `other users can replace files in ${dirname(path)}, the folder of the database: make it writable for this user alone, or name a file elsewhere with BUS_STORE`;
}

/**
 * Refuses a file without a mark that another process has open: it may be the database of a running bus that was
 * renamed, and whose log, lock and mark stayed behind. SQLite keeps a shared lock on the file itself for as long as
 * anybody has it open, and Linux lists all locks. Under its own name a database is not asked: a backup may read it.
 */
export function checkUnused(path: string): void {
  if (!readSqliteLocks().some(({ inode, pid }) => inode === statSync(path).ino && pid !== process.pid))
    return;
  throw new Error(
    `the database ${path} has no mark beside it, and another process has it open: if a bus runs on it under the name that it had before, stop that bus and give the file its name back`,
  );
}

/** As in `1: POSIX  ADVISORY  READ  4711 08:01:9137 1073741826 1073742335`. */
function readSqliteLocks(): readonly Readonly<{ inode: number; pid: number }>[] {
  return readLines('/proc/locks')
    .map((line) => line.split(/\s+/))
    .filter((words) => Number(words.at(-2)) >= sqliteLockOffset)
    .map((words) => ({ inode: Number(words.at(-3)?.split(':').at(-1)), pid: Number(words.at(-4)) }));
}

/** SQLite locks bytes that lie here, and hardly anybody else does. */
const sqliteLockOffset = 0x40000000;

function isMountPoint(path: string): boolean {
  return readMountPoints().includes(path);
}

function readMountPoints(): readonly string[] {
  return readLines('/proc/self/mountinfo').map((line) => toPlainPath(line.split(' ')[4] ?? ''));
}

/** Nothing on systems that have no such list; those have no mounts of single files either. */
function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The kernel writes spaces and backslashes in paths as octal numbers. */
function toPlainPath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function toLinkedSentence(path: string, names: number): string {
  return `the database ${path} has ${names} names (hard links), and under each of them a bus of its own could run: remove the other names of ${basename(path)}, or name another file with BUS_STORE`;
}

function toMountedSentence(path: string): string {
  return `the database ${path} is mounted as a single file, so its lock and its write-ahead log would stay outside: mount its folder instead, or name another file with BUS_STORE`;
}
