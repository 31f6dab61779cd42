import { realpathSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import * as path from 'node:path';
import { findWorkTree, readOrigin, toRepositoryName, type WorkTree } from './repository.ts';

/** What a written path is read against. */
export type Surroundings = Readonly<{
  /** The folder that relative paths start from: the project of the session. */
  project: string;
  /** The name that paths are qualified with instead of the origin's: `BUS_MCP_REPOSITORY`. */
  repository?: string | undefined;
  home?: string | undefined;
  host?: string | undefined;
}>;

/**
 * Turns a path or pattern, as a person or an agent writes it, into a scope that means the same file for everybody on
 * the bus: `<repository>/<path in its work tree>`. Worktrees, clones and machines of one repository meet this way. The
 * file need not exist; links are followed as far as it does. What lies in no repository is named by host and real path.
 */
export function qualifyPath(written: string, surroundings: Surroundings): string {
  return toQualified(toRealPath(toFullPath(written, surroundings)), surroundings);
}

/**
 * The scopes that an edit of this path touches: the file itself, and the link where the path is one, because some tools
 * write through a link and others put a new file in its place.
 */
export function qualifyEdited(written: string, surroundings: Surroundings): readonly string[] {
  const full = toFullPath(written, surroundings);
  const real = toRealPath(full);
  const link = path.join(toRealPath(path.dirname(full)), path.basename(full));
  const paths = link === real ? [real] : [real, link];
  return paths.map((one) => toQualified(one, surroundings));
}

function toFullPath(written: string, { project, home }: Surroundings): string {
  return path.resolve(project, expandHome(written, home ?? homedir()));
}

function toQualified(real: string, { project, repository, host = hostname() }: Surroundings): string {
  const workTree = findWorkTree(toExistingFolder(real));
  if (!workTree) return toScope([host, real]);
  const isNamed = repository !== undefined && isOfProject(workTree, project);
  return toScope([isNamed ? repository : toName(workTree, host), path.relative(workTree.top, real)]);
}

/** The name that somebody gave is that of the project's repository, and not of each that a path may lead to. */
function isOfProject({ commonFolder }: WorkTree, project: string): boolean {
  const own = findWorkTree(toExistingFolder(toRealPath(path.resolve(project))));
  return own === undefined || own.commonFolder === commonFolder;
}

/** The repository of the project itself, which results leave away; undefined where it lies in none. */
export function findRepository({ project, repository, host }: Surroundings): string | undefined {
  const workTree = findWorkTree(toExistingFolder(toRealPath(path.resolve(project))));
  if (!workTree) return undefined;
  return toScope([repository ?? toName(workTree, host ?? hostname())]);
}

/** A scope as somebody in that repository writes it. */
export function shortenScope(scope: string, repository: string | undefined): string {
  if (repository === undefined) return scope;
  if (scope === repository) return '**';
  return scope.startsWith(`${repository}/`) ? scope.slice(repository.length + 1) : scope;
}

/** Joins parts with slashes, whatever the platform's own separator is, and without one at the ends. */
export function toScope(parts: readonly string[], separator: string = path.sep): string {
  const slashed = parts.map((part) => (separator === '\\' ? part.replaceAll('\\', '/') : part));
  return slashed
    .flatMap((part) => part.split('/'))
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

function toName(workTree: WorkTree, host: string): string {
  const origin = readOrigin(workTree);
  return (origin && toRepositoryName(origin)) ?? toScope([host, workTree.commonFolder]);
}

function expandHome(written: string, home: string): string {
  return written === '~' || written.startsWith('~/') ? path.join(home, written.slice(1)) : written;
}

/** The real path of the deepest ancestor that exists, and the rest as it is written. */
function toRealPath(full: string): string {
  const missing: string[] = [];
  for (let existing = full; ; existing = path.dirname(existing)) {
    const real = tryRealPath(existing);
    if (real !== undefined) return path.join(real, ...missing);
    if (path.dirname(existing) === existing) return full;
    missing.unshift(path.basename(existing));
  }
}

/** Where to look for the work tree: the path itself may be a file, or not be there yet. */
function toExistingFolder(real: string): string {
  let folder = real;
  while (tryRealPath(folder) === undefined && path.dirname(folder) !== folder) folder = path.dirname(folder);
  return folder;
}

function tryRealPath(full: string): string | undefined {
  try {
    return realpathSync(full);
  } catch {
    return undefined;
  }
}
