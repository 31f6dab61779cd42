import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

/**
 * The real path of a store's file: every symbolic link is followed, even when the last one leads to a file that does
 * not exist yet.
 *
 * The lock, the mark, the write-ahead log and the address of a bus lie beside its database. Everything that looks
 * for one of them uses this path. So a database that is reached through a link has one set of these files, not two.
 */
export function toRealPath(file: string): string {
  let path = resolve(expandHome(file));
  for (let followed = 0; followed < linksFollowedMax; followed += 1) {
    const real = tryToResolve(path);
    if (real !== undefined) return real;
    const inFolder = join(toRealFolder(dirname(path)), basename(path));
    const target = readLink(inFolder);
    if (target === undefined) return inFolder;
    path = resolve(dirname(inFolder), target);
  }
  throw new Error(`the path ${file} is a circle of links: name another file with BUS_STORE`);
}

/** A shell expands `~/` when somebody types it; nobody does so for a client's configuration. */
function expandHome(file: string): string {
  if (file !== '~' && !file.startsWith('~/')) return file;
  const { HOME: given = '' } = process.env;
  const home = isAbsolute(given) ? given : userInfo().homedir;
  if (home === '')
    throw new Error(`the path ${file} needs a home folder, and this user has none: write it out`);
  return join(home, file.slice(1));
}

/** The same limit as Linux. */
const linksFollowedMax = 40;

/**
 * Resolves the folders that exist. A folder that is a dangling link stays one, and creating a file in it fails. That
 * is intended: it may lead to a disk that is not mounted now, and the bus must not start an empty database in its
 * place.
 */
function toRealFolder(folder: string): string {
  const parent = dirname(folder);
  // The root exists, so this recursion always ends.
  return tryToResolve(folder) ?? (parent === folder ? folder : join(toRealFolder(parent), basename(folder)));
}

function tryToResolve(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}
