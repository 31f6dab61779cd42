import { constants, copyFileSync, existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { toRealPath } from '../store/path.ts';
import { loadDriver, type SqliteDatabase } from '../store/sqlite/driver.ts';
import { forgetBase } from '../store/sqlite/integrity/base.ts';
import { inspectFile } from '../store/sqlite/integrity/inspect.ts';
import { goOnAbove, readHighWater } from '../store/sqlite/integrity/loss.ts';
import {
  type HighWater,
  higher,
  isAhead,
  openMarkFile,
  readMarkFile,
  toMarkPath,
} from '../store/sqlite/integrity/mark.ts';
import { checkNotHeldHere, lockDatabase } from '../store/sqlite/lock.ts';
import { checkIsOwn, ForeignDatabaseError } from '../store/sqlite/migrate.ts';
import { checkFile, createFolders, prepareFile, toStartError } from '../store/sqlite/prepare.ts';
import { readTotals } from '../store/sqlite/source.ts';
import { prepareForWriting } from '../store/sqlite/transactions.ts';
import { copyDatabase } from './backup.ts';
import { createDraft, freshSuffix, removeDraft, syncFile, syncFolder } from './new-file.ts';
import type { Progress } from './progress.ts';
import { resetClock } from './reset-clock.ts';
import { toDamageSentence, toProblem, verifyStore } from './verify.ts';

export type Restored = Readonly<{
  store: string;
  /** Where the previous database is now. */
  replaced?: string | undefined;
  messages: number;
  /** The next message gets an id above every id ever handed out. */
  nextMessageId: number;
  /** How many messages were posted after the backup and are not in it. */
  missingMessages: number;
}>;

type Asked = Readonly<{
  file: string;
  store: string;
  now: Date;
  /** Sets times that are ahead of `now` back to `now`. */
  resetsClock?: boolean;
}>;

/**
 * Replaces the database with a backup. No bus may run on it. The previous database is kept under another name. Ids
 * and fences continue above everything that was handed out before, so that none of them ever means two things.
 */
export async function restore(asked: Asked, progress: Progress): Promise<Restored> {
  const { file, store, now, resetsClock = false } = asked;
  const [from, path] = [toRealPath(file), toRealPath(store)];
  if (from === path) throw new Error(`the backup and the database are the same file: ${path}`);
  checkNotHeldHere(path);
  refuseForeign(path);
  const lock = lockDatabase(loadDriver(), path);
  let draft = '';
  try {
    createFolders(dirname(path));
    draft = createDraft(path);
    await makeDraft({ from, draft, path }, progress);
    const { replaced, ...raised } = replace({ path, draft, now, resetsClock });
    return { store: path, replaced, ...raised };
  } finally {
    if (draft !== '') removeDraft(draft);
    lock.release();
    progress.end();
  }
}

/**
 * Refuses to replace a file that no bus created, before anything is written beside it. A bus database may be too
 * damaged to read, and replacing it is what restore is for. In that case the mark beside it shows that it is one.
 */
function refuseForeign(path: string): void {
  try {
    checkFile(path);
    if (existsSync(path)) checkOwner(path);
  } catch (error) {
    const isForeign = error instanceof ForeignDatabaseError;
    if (!isForeign && !/damaged/.test(String(error))) throw error;
    if (existsSync(toMarkPath(path))) return;
    throw isForeign ? error : new Error(toUnknownFile(path));
  }
}

function toUnknownFile(path: string): string {
  return (
    `no bus has made the file ${path}, or it is so damaged that nobody can tell, so it stays as it is: ` +
    'move it away, or name another file with BUS_STORE'
  );
}

function checkOwner(path: string): void {
  const database = loadDriver().open(path, { readOnly: true });
  try {
    checkIsOwn(database, path);
  } catch (error) {
    throw toStartError(error, path);
  } finally {
    database.close();
  }
}

/** Copies the backup beside the database, migrates it to this version, and checks every row. */
async function makeDraft(
  { from, draft, path }: Readonly<{ from: string; draft: string; path: string }>,
  progress: Progress,
): Promise<void> {
  progress.report('copying the backup', 0);
  const { damage } = inspectFile(from);
  if (damage.length > 0) throw toUnsound(from, toDamageSentence(damage));
  copyDatabase({ from, into: draft, name: path });
  prepareFile(loadDriver(), draft);
  const verification = await verifyStore(draft, progress);
  if (!verification.ok) throw toUnsound(from, toProblem(verification));
}

function toUnsound(from: string, problem: string): Error {
  return new Error(`the backup ${from} is not whole, so nothing was changed: ${problem}`);
}

type Replacing = Readonly<{ path: string; draft: string; now: Date; resetsClock: boolean }>;

function replace({ path, draft, now, resetsClock }: Replacing) {
  // If the mark cannot be read, the previous database may still say how far it went.
  const before = readMarkFile(toMarkPath(path));
  const mark = openMarkFile(toMarkPath(path));
  try {
    const hadDatabase = existsSync(path);
    const handedOut = [
      before === 'unreadable' ? undefined : before,
      hadDatabase ? readOldDatabase(path) : undefined,
    ];
    const clockMax = resetsClock ? now.getTime() : Number.POSITIVE_INFINITY;
    const { highWater, ...raised } = raise(draft, handedOut, clockMax);
    const replaced = hadDatabase ? setAside(path, now) : undefined;
    renameSync(toFreshFile(draft), path);
    syncFolder(dirname(path));
    // Write both slots of the mark, so that neither keeps the old time.
    for (let slot = 0; slot < 2; slot += 1) mark.write(highWater);
    mark.sync();
    forgetBase(path);
    return { ...raised, replaced };
  } finally {
    mark.close();
  }
}

/** How far the database goes that is about to be replaced. A damaged one cannot say, but its mark can. */
function readOldDatabase(path: string): HighWater | undefined {
  let database: SqliteDatabase | undefined;
  try {
    database = loadDriver().open(path);
    checkIsOwn(database, path);
    prepareForWriting(database);
    const found = readHighWater(database);
    // So that the file that is kept is complete without its write-ahead log.
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return found;
  } catch {
    return undefined;
  } finally {
    database?.close();
  }
}

function raise(draft: string, handedOut: readonly (HighWater | undefined)[], clockMax: number) {
  const database = loadDriver().open(draft);
  try {
    if (clockMax !== Number.POSITIVE_INFINITY) resetClock(database, clockMax);
    const found = readHighWater(database);
    const highest = handedOut.reduce<HighWater>((sum, one) => (one ? higher(sum, one) : sum), found);
    const top = { ...highest, clockMilliseconds: Math.min(highest.clockMilliseconds, clockMax) };
    if (isAhead(top, found)) goOnAbove(database, top);
    foldLog(database);
    const highWater = readHighWater(database);
    return {
      highWater,
      messages: readTotals(database).messageCount,
      nextMessageId: highWater.messageId + 1,
      missingMessages: highWater.messageId - found.messageId,
    };
  } finally {
    database.close();
    syncFile(draft);
  }
}

/** Only the file itself gets the name, so everything must be in it. */
function foldLog(database: SqliteDatabase): void {
  const folded = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
  if (folded.busy !== 0) throw new Error('the copy of the backup is in use by another process: try again');
}

/**
 * Copies the draft into a file that no connection has opened. SQLite identifies a file by its inode, and a driver
 * may close a connection late. The next connection in this process would then share that connection's index of the
 * write-ahead log, under the draft's name.
 */
function toFreshFile(draft: string): string {
  const fresh = `${draft}${freshSuffix}`;
  copyFileSync(draft, fresh, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  syncFile(fresh);
  return fresh;
}

/**
 * Keeps the previous database under another name. At every moment there is a database under the real name: the old
 * one until the new one replaces it.
 */
function setAside(path: string, now: Date): string {
  const time = now.toISOString().replaceAll(':', '');
  const aside = `${path}.replaced-${time}`;
  try {
    linkSync(path, aside);
  } catch {
    renameSync(path, aside);
  }
  // If the database could not be read, keep its log with it. The index of the log can be rebuilt.
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (log && log.size > 0) renameSync(`${path}-wal`, `${aside}-wal`);
  for (const part of ['-wal', '-shm']) rmSync(`${path}${part}`, { force: true });
  return aside;
}
