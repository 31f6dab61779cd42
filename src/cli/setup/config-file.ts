import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { byteOrderMark, withoutByteOrderMark } from '../../contract/byte-order-mark.ts';
import { FileProblem } from './problem.ts';

/** A client's file as it was read. */
export type ConfigFile = Readonly<{
  path: string;
  /** The path after following links; links are never replaced. */
  realPath: string;
  /** Absent when there is no file. Does not include a byte order mark. */
  text: string | undefined;
  hasByteOrderMark: boolean;
  mode: number;
  owner: Readonly<{ user: number; group: number }> | undefined;
}>;

/** Throws `FileProblem` for what is there but cannot be read as text or must not be written. */
export async function readConfigFile(path: string, newFileMode: number): Promise<ConfigFile> {
  const realPath = await followLinks(path);
  const found = await stat(realPath).catch(ignoreMissing);
  if (found === undefined) {
    return { path, realPath, text: undefined, hasByteOrderMark: false, mode: newFileMode, owner: undefined };
  }
  if (!found.isFile()) throw new FileProblem('is no file');
  // An administrator can write anyway, but the mode says that the file should not be changed.
  if ((found.mode & 0o222) === 0) throw new FileProblem('is read-only: make it writable and run this again');
  const bytes = await readFile(realPath).catch(toProblem('cannot be read'));
  const text = decodeFile(bytes);
  const hasByteOrderMark = text.startsWith(byteOrderMark);
  const owner = { user: found.uid, group: found.gid };
  return {
    path,
    realPath,
    text: withoutByteOrderMark(text),
    hasByteOrderMark,
    mode: found.mode & 0o777,
    owner,
  };
}

/** Puts the text in the place of what was found, all or nothing, and answers where a copy of that lies. */
export async function writeConfigFile(
  file: ConfigFile,
  text: string,
  { backsUp = true } = {},
): Promise<string | undefined> {
  await refuseChanged(file);
  await mkdir(dirname(file.realPath), { recursive: true }).catch(toProblem('cannot be written'));
  const backupPath = file.text === undefined || !backsUp ? undefined : await backUp(file, file.text);
  await replaceFile(file, file.realPath, text);
  return backupPath;
}

/** The oldest copy is what somebody returns to when all else failed, so it is written only once. */
async function backUp(file: ConfigFile, text: string): Promise<string> {
  const { oldest, last } = toBackupPaths(file);
  const first = await readBackup(oldest);
  const backupPath = first === undefined || first === text ? oldest : last;
  if (first !== text) await replaceFile(file, backupPath, text);
  return backupPath;
}

/** Takes the file away. */
export async function deleteConfigFile(file: ConfigFile): Promise<void> {
  await refuseChanged(file);
  await rm(file.realPath).catch(toProblem('cannot be removed'));
}

/** The file's text before the last change, and before the first one, as far as there are copies. */
export async function readBackups(file: ConfigFile): Promise<readonly string[]> {
  const { oldest, last } = toBackupPaths(file);
  const texts = await Promise.all([readBackup(last), readBackup(oldest)]);
  return texts.filter((text) => text !== undefined);
}

async function readBackup(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : withoutByteOrderMark(text);
}

function toBackupPaths({ realPath }: ConfigFile) {
  return { oldest: `${realPath}.bus-mcp.bak`, last: `${realPath}.bus-mcp.last.bak` };
}

async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new FileProblem(`cannot be read (${code})`);
    const link = await lstat(path).catch(ignoreMissing);
    if (link === undefined) return path;
    throw new FileProblem('is a link to a file that does not exist');
  }
}

function decodeFile(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileProblem('is not UTF-8 text: save it as UTF-8 and run this again');
  }
}

/** Clients write these files too, and some often. */
async function refuseChanged(file: ConfigFile): Promise<void> {
  const text = await readFile(file.realPath, 'utf8').catch(ignoreMissing);
  const before = file.text === undefined ? undefined : toBytes(file, file.text);
  if (text !== before) throw new FileProblem('was changed by another program just now: run this again');
}

/** Renames a new file over the old one, so that nobody ever reads half of it. */
async function replaceFile(file: ConfigFile, path: string, text: string): Promise<void> {
  const passingPath = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(passingPath, 'wx', file.mode);
    try {
      await handle.writeFile(toBytes(file, text));
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (file.owner !== undefined) {
      await chmod(passingPath, file.mode);
      await chown(passingPath, file.owner.user, file.owner.group).catch(() => {});
    }
    await rename(passingPath, path);
  } catch (error) {
    await rm(passingPath, { force: true }).catch(() => {});
    toProblem('cannot be written')(error);
  }
}

function toBytes({ hasByteOrderMark }: ConfigFile, text: string): string {
  return hasByteOrderMark ? byteOrderMark + text : text;
}

function ignoreMissing(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return undefined;
  throw new FileProblem(`cannot be read (${code})`);
}

function toProblem(words: string): (error: unknown) => never {
  return (error) => {
    throw new FileProblem(`${words} (${(error as NodeJS.ErrnoException).code ?? 'for an unknown reason'})`);
  };
}
