import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createFolders } from '../store/sqlite/prepare.ts';

/** A file that appears under its name only when it is whole. */
export type NewFile = Readonly<{
  path: string;
  /** Where it is made: an empty file that only this user can read. */
  draft: string;
  append: (text: string) => void;
  /** Makes it survive a power cut, and gives it its name. Throws when somebody took the name meanwhile. */
  finish: () => void;
  /** Removes the draft, if it is still one. */
  abandon: () => void;
}>;

export function createNewFile(file: string): NewFile {
  const path = resolve(file);
  const draft = `${path}.unfinished-${process.pid}`;
  refuseToReplace(path);
  writing(path, () => {
    createFolders(dirname(path));
    closeSync(openSync(draft, 'w', 0o600));
  });

  const append = (text: string) => writing(path, () => appendFileSync(draft, text));

  function finish(): void {
    writing(path, () => syncFile(draft));
    takeName(draft, path);
    syncFolder(dirname(path));
  }

  const abandon = () => {
    for (const name of [draft, `${draft}-journal`]) rmSync(name, { force: true });
  };
  return { path, draft, append, finish, abandon };
}

function writing(path: string, deed: () => void): void {
  try {
    deed();
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

/** Makes the names in it survive a power cut, where the system can. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function refuseToReplace(path: string): void {
  if (existsSync(path)) throw new Error(`the file ${path} is there already: remove it, or name another one`);
}

/** A link refuses a name that is taken, in one step; not every file system has links. */
function takeName(draft: string, path: string): void {
  try {
    linkSync(draft, path);
    rmSync(draft);
  } catch {
    refuseToReplace(path);
    renameSync(draft, path);
  }
}
