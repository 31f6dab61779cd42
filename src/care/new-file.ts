import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createFolders } from '../store/sqlite/prepare.ts';

/** A file that appears under its name only when it is whole. */
export type NewFile = Readonly<{
  path: string;
  /** Where it is made: an empty file that only this user can read. */
  draft: string;
  /** Makes it survive a power cut, and gives it its name. Throws when somebody took the name meanwhile. */
  finish: () => void;
  /** Removes the draft, if it is still one. */
  abandon: () => void;
}>;

export function createNewFile(file: string): NewFile {
  const path = resolve(file);
  const draft = `${path}.unfinished-${process.pid}`;
  refuseToReplace(path);
  try {
    createFolders(dirname(path));
    closeSync(openSync(draft, 'w', 0o600));
  } catch (error) {
    throw new Error(
      `the file ${path} cannot be written (${(error as NodeJS.ErrnoException).code}): name another one`,
    );
  }

  function finish(): void {
    syncFile(draft);
    takeName(draft, path);
    syncFolder(dirname(path));
  }

  const abandon = () => {
    for (const name of [draft, `${draft}-journal`]) rmSync(name, { force: true });
  };
  return { path, draft, finish, abandon };
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
