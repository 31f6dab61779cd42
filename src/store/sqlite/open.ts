import { type Clock, createClock } from '../clock.ts';
import { toRealPath } from '../path.ts';
import type { Store } from '../store.ts';
import { createStoreWatch, type Observers } from '../watch.ts';
import { loadDriver } from './driver.ts';
import { guardIndex } from './integrity/index-file.ts';
import { readAliveUntil, showLife } from './integrity/life.ts';
import { checkForLoss, goOnAbove, toMarkPath } from './integrity/loss.ts';
import { openMarkFile } from './integrity/mark.ts';
import { findUnsafe } from './integrity/names.ts';
import { checkNotHeldHere, lockDatabase } from './lock.ts';
import { checkFile, createPrivateFile, prepareFile } from './prepare.ts';
import { createRowReader, type RowReader } from './read.ts';
import { createSqliteStore } from './store.ts';
import { startWriter, type Writer } from './writer.ts';

export type SqliteOptions = Readonly<{
  /** The database file; its folder is made when it is missing. */
  path: string;
  /** The built file of the writer thread. */
  writerFile: URL;
  /** Given the latest time in the database, and until when the bus before this one served. Tests give their own. */
  clockFrom?: (floor: number, aliveUntil?: number) => Clock;
  /** Goes on after acknowledged rows were lost, with ids and fences above them. */
  acceptLoss?: boolean;
}> &
  Observers;

/** Opens the embedded store. Rejects with a sentence for people when the file cannot be used. */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const driver = loadDriver();
  const path = toRealPath(options.path);
  checkNotHeldHere(path);
  checkFile(path);
  createPrivateFile(path);
  const lock = lockDatabase(driver, path);
  let writer: Writer | undefined;
  try {
    const { acceptLoss = false, notify } = options;
    const unsafe = findUnsafe(path);
    if (unsafe !== undefined) notify?.({ level: 'warn', message: unsafe });
    const above = checkForLoss(driver, { path, acceptLoss, notify });
    beginMark(path);
    prepareFile(driver, path, (database) => above && goOnAbove(database, above));
    const watch = createStoreWatch(options);
    writer = await startWriter({ path, file: options.writerFile, observe: watch.commit });
    const database = guardIndex(driver.open(path, { readOnly: true }), path);
    const reader = createRowReader(database, watch);
    const isHeldAfter = createIsHeldAfter(reader);
    const clockFrom = options.clockFrom ?? ((floor, aliveUntil) => createClock({ floor, aliveUntil }));
    const clock = clockFrom(reader.counters().clockMilliseconds, toLastLife(path, isHeldAfter));
    return createSqliteStore({
      path,
      reader,
      writer,
      clock,
      life: showLife({ path: toMarkPath(path), now: clock.now, isHeldAfter }),
      closeReader: () => database.close(),
      unlock: lock.release,
    });
  } catch (error) {
    await writer?.close();
    lock.release();
    throw error;
  }
}

/** Whether any lease ends after a time. A page that cannot be read is told to whoever asks for what is on it. */
function createIsHeldAfter(reader: RowReader): (time: number) => boolean {
  return (time) => {
    try {
      return reader.live(time, 1).length > 0;
    } catch {
      return true;
    }
  };
}

/** Until when the bus before this one served, if there is anybody who could not renew since. */
function toLastLife(path: string, isHeldAfter: (time: number) => boolean): number | undefined {
  const aliveUntil = readAliveUntil(toMarkPath(path));
  return aliveUntil !== undefined && isHeldAfter(aliveUntil) ? aliveUntil : undefined;
}

/** Before the database itself, so that one without a mark has lost it. */
function beginMark(path: string): void {
  try {
    openMarkFile(toMarkPath(path)).close();
  } catch {
    // There may be no room now, and still something to read; the writer tries again.
  }
}
