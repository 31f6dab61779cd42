import { type Clock, createClock } from '../clock.ts';
import { createStoreHealth, type Observers } from '../health.ts';
import { toRealPath } from '../path.ts';
import type { Store } from '../store.ts';
import { loadDriver } from './driver.ts';
import { guardIndex } from './integrity/index-file.ts';
import { readAliveUntil, showLife } from './integrity/life.ts';
import { checkForLoss, goOnAbove } from './integrity/loss.ts';
import { openMarkFile, toMarkPath } from './integrity/mark.ts';
import { findUnsafe } from './integrity/names.ts';
import { checkNotHeldHere, lockDatabase } from './lock.ts';
import { checkFile, createPrivateFile, prepareFile, toStartError } from './prepare.ts';
import { createRowReader, type RowReader } from './read.ts';
import { createSqliteStore } from './store.ts';
import { startWriter, type Writer } from './writer.ts';

export type SqliteOptions = Readonly<{
  /** The database file. Its folder is created when it is missing. */
  path: string;
  /** The built file of the writer thread. */
  writerFile: URL;
  /**
   * Called with the latest time in the database, and with the time until which the previous bus served. Tests pass
   * their own clock.
   */
  clockFrom?: (floor: number, aliveUntil?: number) => Clock;
  /** Starts although acknowledged rows are missing, and continues with ids and fences above them. */
  acceptLoss?: boolean;
}> &
  Observers;

/** Opens the embedded store. Rejects with a readable sentence when the file cannot be used. */
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
    const health = createStoreHealth(options);
    writer = await startWriter({ path, file: options.writerFile, observe: health.commit });
    const database = guardIndex(driver.open(path, { readOnly: true }), path);
    const reader = createRowReader(database, health);
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
    throw toStartError(error, path);
  }
}

/**
 * Returns a function that says whether any lease ends after a time. If the page cannot be read, whoever needs its
 * rows hears about it.
 */
function createIsHeldAfter(reader: RowReader): (time: number) => boolean {
  return (time) => {
    try {
      return reader.live(time, 1).length > 0;
    } catch {
      return true;
    }
  };
}

/** Until when the previous bus served, if there are holders who could not renew since then. */
function toLastLife(path: string, isHeldAfter: (time: number) => boolean): number | undefined {
  const aliveUntil = readAliveUntil(toMarkPath(path));
  return aliveUntil !== undefined && isHeldAfter(aliveUntil) ? aliveUntil : undefined;
}

/** Created before the database: a database without a mark must have lost it. */
function beginMark(path: string): void {
  try {
    openMarkFile(toMarkPath(path)).close();
  } catch {
    // The disk may be full now while reading still works; the writer tries again later.
  }
}
