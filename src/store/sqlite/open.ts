import { chmodSync, closeSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Clock, createClock } from '../clock.ts';
import type { ObserveCommit } from '../group-commit.ts';
import type { Store } from '../store.ts';
import { loadDriver, type SqliteDriver } from './driver.ts';
import { lockDatabase } from './lock.ts';
import { checkForLoss } from './loss.ts';
import { migrate } from './migrate.ts';
import { createRowReader } from './read.ts';
import { createSqliteStore } from './store.ts';
import { prepareForWriting } from './write.ts';
import { startWriter } from './writer.ts';

export type SqliteOptions = Readonly<{
  /** The database file; its folder is made when it is missing. */
  path: string;
  /** The built file of the writer thread. */
  writerFile: URL;
  /** Given the latest time in the database. Tests give their own. */
  clockFrom?: (floor: number) => Clock;
  /** Goes on after acknowledged rows were lost, with ids and fences above them. */
  acceptLoss?: boolean;
  observe?: ObserveCommit | undefined;
}>;

/** Opens the embedded store. Rejects with a sentence for people when the file cannot be used. */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const driver = loadDriver();
  createPrivateFile(resolve(options.path));
  // The same file by another name is the same database, and has the same lock.
  const path = realpathSync(options.path);
  const lock = lockDatabase(driver, path);
  try {
    prepareFile(driver, path, options.acceptLoss ?? false);
    const writer = await startWriter({ path, file: options.writerFile });
    const database = driver.open(path);
    database.exec('PRAGMA query_only = ON; PRAGMA busy_timeout = 5000');
    const reader = createRowReader(database);
    const clockFrom = options.clockFrom ?? ((floor) => createClock({ floor }));
    const clock = clockFrom(reader.counters().clockMilliseconds);
    return createSqliteStore({
      path,
      reader,
      writer,
      clock,
      observe: options.observe,
      closeReader: () => database.close(),
      unlock: lock.release,
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What agents write to each other is nobody else's: the file and its folder are made for the user alone. */
function createPrivateFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
    closeSync(openSync(`${path}.lock`, 'a', 0o600));
    if (process.platform !== 'win32') chmodSync(path, 0o600);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Error(
      `the database ${path} cannot be written (${reason}): ` +
        'make its folder writable for this user, or name another file with BUS_STORE',
    );
  }
}

function prepareFile(driver: SqliteDriver, path: string, acceptLoss: boolean): void {
  const database = driver.open(path);
  try {
    prepareForWriting(database);
    migrate(database, path);
    checkForLoss(database, { path, acceptLoss });
  } catch (error) {
    throw /not a database|malformed/i.test(String(error))
      ? new Error(
          `the file ${path} is damaged or no database: restore a backup, or name another file with BUS_STORE`,
        )
      : error;
  } finally {
    database.close();
  }
}
