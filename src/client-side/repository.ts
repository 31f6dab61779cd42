import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A checkout of a repository: its top folder, and the folder of git that all checkouts of this clone share. */
export type WorkTree = Readonly<{ top: string; commonFolder: string }>;

/** The work tree that a folder lies in: the nearest `.git` upwards. The folder must exist and be a real path. */
export function findWorkTree(folder: string): WorkTree | undefined {
  for (let top = folder; ; top = dirname(top)) {
    const commonFolder = findCommonFolder(join(top, '.git'));
    if (commonFolder !== undefined) return { top, commonFolder };
    if (dirname(top) === top) return undefined;
  }
}

/** The address that the clone came from, as its configuration has it. */
export function readOrigin({ commonFolder }: WorkTree): string | undefined {
  const text = readText(join(commonFolder, 'config')) ?? '';
  let section = '';
  let url: string | undefined;
  for (const line of text.split('\n').map((one) => one.trim())) {
    section = /^\[(.*)\]/.exec(line)?.[1] ?? section;
    if (section === 'remote "origin"') url ??= /^url\s*=\s*(.+)$/.exec(line)?.[1];
  }
  return url?.replace(/^"(.*)"$/, '$1');
}

/**
 * One name for a repository, however its address is written: `github.com/acme/pocket` for
 * `git@github.com:acme/pocket.git` and `https://ada:token@github.com/acme/pocket`. Users, passwords, ports and the query
 * are left out, so that no credential leaves the machine. Undefined for an address that names no host, such as a path.
 */
export function toRepositoryName(address: string): string | undefined {
  const found =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/]*@)?(?<host>\[[^\]]*\]|[^/:?#]+)(?::\d*)?\/+(?<path>[^?#]*)/i.exec(
      address,
    ) ??
    // git's short form for SSH. A single letter before the colon is a drive of Windows.
    /^(?:[^/]*@)?(?<host>\[[^\]]*\]|[^/:@\\]{2,}):(?!\/\/)\/*(?<path>[^?#]*)/.exec(address);
  const { host = '', path = '' } = found?.groups ?? {};
  const name = path
    .replace(/\/+$/, '')
    .replace(/\.git$/i, '')
    .split('/')
    .filter(isPlainSegment)
    .join('/');
  return host === '' || name === '' ? undefined : `${host.toLowerCase()}/${name}`;
}

function isPlainSegment(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..';
}

/** `.git` is a folder in a clone; in a worktree and in a submodule it is a file that says where the folder is. */
function findCommonFolder(entry: string): string | undefined {
  const stats = tryStat(entry);
  if (stats?.isDirectory()) return isGitFolder(entry) ? realpathSync(entry) : undefined;
  if (!stats?.isFile()) return undefined;
  const link = /^gitdir:\s*(.+)$/m.exec(readText(entry) ?? '')?.[1]?.trim();
  if (link === undefined) return undefined;
  const folder = resolve(dirname(entry), link);
  if (!isGitFolder(folder)) return undefined;
  const common = readText(join(folder, 'commondir'))?.trim();
  return realpathSync(common === undefined ? folder : resolve(folder, common));
}

/** An empty folder of that name, as tools leave them behind, is no repository: git looks on above it, too. */
function isGitFolder(folder: string): boolean {
  return tryStat(join(folder, 'HEAD'))?.isFile() ?? false;
}

/** Undefined for what is not there, lies beneath a file, or is closed to this user. */
function tryStat(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
