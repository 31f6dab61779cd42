import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

/** A file that gets its name only when it is complete. */
export type NewFile = Readonly<{
  path: string;
  /** Where the file is written: at first empty, and readable by this user only. */
  draft: string;
  append: (text: string) => void;
  /** Forces the file to disk and gives it its name. Throws when somebody took the name in the meantime. */
  finish: () => void;
  /** Removes the draft, unless it is finished. */
  abandon: () => void;
}>;

export function createNewFile(file: string): NewFile {
  const path = resolve(file);
  refuseToReplace(path);
  const draft = createDraft(path);

  const append = (text: string) => writing(path, () => appendFileSync(draft, text));

  function finish(): void {
    writing(path, () => syncFile(draft));
    takeName(draft, path);
    syncFolder(dirname(path));
  }

  return { path, draft, append, finish, abandon: () => removeDraft(draft) };
}

/**
 * Creates an empty draft for the path, readable by this user only, and removes drafts that killed commands left
 * there. It does not follow a link that somebody placed under that name.
 */
export function createDraft(path: string): string {
  const folder = dirname(path);
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder}: make it, or name another file`);
  removeStaleDrafts(path);
  const draft = `${path}${draftSuffix}${process.pid}`;
  removeDraft(draft);
  writing(path, () => closeSync(openSync(draft, 'wx', 0o600)));
  return draft;
}

export function removeDraft(draft: string): void {
  for (const part of ['', '-journal', '-wal', '-shm', freshSuffix])
    rmSync(`${draft}${part}`, { force: true });
}

const draftSuffix = '.unfinished-';
/** A copy of a draft beside it. */
export const freshSuffix = '-copy';

/**
 * A draft is stale when its process does not exist and nobody has written to it for a while. A process in another
 * container or on another machine is invisible from here, but it keeps writing.
 */
function removeStaleDrafts(path: string): void {
  const beginning = `${basename(path)}${draftSuffix}`;
  for (const name of readdirSync(dirname(path))) {
    const processId = name.startsWith(beginning) ? /^\d+/.exec(name.slice(beginning.length))?.[0] : undefined;
    if (processId === undefined || isThere(Number(processId))) continue;
    const draft = `${path}${draftSuffix}${processId}`;
    const writtenAt = lstatSync(draft, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - writtenAt > staleMillisecondsMin) removeDraft(draft);
  }
}

const staleMillisecondsMin = 600_000;

function isThere(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw toUnwritable(path, (error as NodeJS.ErrnoException).code);
  }
}

export function toUnwritable(path: string, code: string | undefined): Error {
  const advice = code === 'ENOSPC' ? 'make room, or name one on another disk' : 'name another one';
  return new Error(`the file ${path} cannot be written (${code}): ${advice}`);
}

export function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  fsyncSync(file);
  closeSync(file);
}

/** Forces the names in the folder to disk, where the system can. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function refuseToReplace(path: string): void {
  if (existsSync(path)) throw new Error(`the file ${path} is there already: remove it, or name another one`);
}

/** A hard link fails in one step when the name is taken. Not every file system has hard links. */
function takeName(draft: string, path: string): void {
  try {
    linkSync(draft, path);
    rmSync(draft);
  } catch {
    refuseToReplace(path);
    renameSync(draft, path);
  }
}
