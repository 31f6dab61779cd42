import { readFileSync, statSync } from 'node:fs';
import { type HeldPath, toDenial } from './denial.ts';
import { findEdited, type ToolCall } from './edits.ts';
import { findRepository, qualifyEdited, type Surroundings, shortenScope } from './qualify.ts';

export type EditGuardOptions = Readonly<{
  surroundings: Surroundings;
  /** Asks the bus which of these paths are held, by whomever. */
  checkPaths: (paths: readonly string[]) => Promise<readonly HeldPath[]>;
}>;

export type Looked = Readonly<{
  /** What the call would change, as scopes; none where it is no edit. */
  scopes: readonly string[];
  /** What somebody holds of that, this session included. */
  held: readonly HeldPath[];
  /** What nobody holds of that, this session included. */
  free: readonly string[];
}>;

/** Looks whether a call of a tool would change a file that somebody holds. Rejects when the bus cannot be asked. */
export async function lookAtCall(
  call: ToolCall & Readonly<{ folder?: string | undefined }>,
  options: EditGuardOptions,
): Promise<Looked> {
  const folder = call.folder ?? options.surroundings.project;
  return lookAtFiles(findEdited(call, { folder, isFolder, readPatch }), options);
}

/** The same for files that are known by name. */
export async function lookAtFiles(
  files: readonly string[],
  { surroundings, checkPaths }: EditGuardOptions,
): Promise<Looked> {
  const scopes = [...new Set(files.flatMap((file) => qualifyEdited(file, surroundings)))].filter(canBeHeld);
  const found: HeldPath[] = [];
  for (let start = 0; start < scopes.length; start += pathsPerCheck)
    found.push(...(await checkPaths(scopes.slice(start, start + pathsPerCheck))));
  return {
    scopes,
    held: found,
    free: scopes.filter((scope) => !found.some(({ path }) => path === scope)),
  };
}

/** The line that stops the call; empty where nothing is in its way. */
export function toReason(held: readonly HeldPath[], surroundings: Surroundings): string {
  if (held.length === 0) return '';
  const repository = findRepository(surroundings);
  return toDenial(held.map((row) => ({ ...row, path: shortenScope(row.path, repository) })));
}

/** Whether the owner is one of these ids, or acts under one of them: a subagent, or a `hold`. */
export function isUnder(ids: Iterable<string>, owner: string): boolean {
  for (const id of ids)
    if (owner === id || owner.startsWith(`${id}/`) || owner.startsWith(`${id}:hold:`)) return true;
  return false;
}

/** The bus takes so many paths at once. */
const pathsPerCheck = 64;

/** The bus refuses other paths, so nobody holds exactly these; one of them must not keep the others from being asked about. */
function canBeHeld(scope: string): boolean {
  const isRefused = ['?', '\\', '\0'].some((sign) => scope.includes(sign)) || scope.startsWith('!');
  return scope !== '' && scope.length <= 256 && !isRefused && scope.isWellFormed();
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

const patchBytesMax = 1_000_000;

/** Nothing that never ends, such as a pipe, is read for this. */
function readPatch(path: string): string | undefined {
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size <= patchBytesMax ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
