import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import type { SqliteDatabase, SqliteStatement } from '../driver.ts';

/** The index of the write-ahead log (`-shm`), which SQLite shares between connections. */
export type IndexFile = Readonly<{
  handle: number;
  /**
   * Restores the file's length after somebody truncated it. The file is only a cache, but SQLite maps it into
   * memory, and the operating system kills a process that reads past the end of a mapped file, without a line in any
   * log. When SQLite finds zeros it rebuilds the index.
   */
  keepWhole: () => void;
  /**
   * Call it only after every connection is closed: closing the file drops the locks that SQLite holds on it in this
   * process.
   */
  close: () => void;
}>;

export function openIndexFile(path: string): IndexFile {
  const handle = openSync(`${path}-shm`, 'r+');
  let bytesLeft = fstatSync(handle).size;

  function keepWhole(): void {
    const { size } = fstatSync(handle);
    if (size < bytesLeft) ftruncateSync(handle, bytesLeft);
    else bytesLeft = size;
  }

  return { handle, keepWhole, close: () => closeSync(handle) };
}

/** Wraps a connection so that it checks the index before each statement. */
export function guardIndex(database: SqliteDatabase, path: string): SqliteDatabase {
  const index = openIndexFile(path);

  function guard<Given extends unknown[], Answer>(run: (...given: Given) => Answer) {
    return (...given: Given): Answer => {
      index.keepWhole();
      return run(...given);
    };
  }

  function prepare(sql: string): SqliteStatement {
    const statement = guard((text: string) => database.prepare(text))(sql);
    return {
      run: guard((...values) => statement.run(...values)),
      get: guard((...values) => statement.get(...values)),
      all: guard((...values) => statement.all(...values)),
      iterate: guard((...values) => statement.iterate(...values)),
    };
  }

  function close(): void {
    database.close();
    index.close();
  }

  return { exec: guard((sql: string) => database.exec(sql)), prepare, close };
}
