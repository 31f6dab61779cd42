import { createRequire } from 'node:module';

/** The part of `node:sqlite` that this store uses; the fallback package offers the same. */
export type SqliteDatabase = Readonly<{
  exec: (sql: string) => void;
  prepare: (sql: string) => SqliteStatement;
  close: () => void;
}>;

export type SqliteValue = string | number | null;

export type SqliteStatement = Readonly<{
  run: (...values: SqliteValue[]) => unknown;
  get: (...values: SqliteValue[]) => unknown;
  all: (...values: SqliteValue[]) => unknown[];
  iterate: (...values: SqliteValue[]) => Iterable<unknown>;
}>;

type SqliteModule = Readonly<{
  DatabaseSync: new (path: string, options?: Readonly<Record<string, unknown>>) => SqliteDatabase;
}>;

/** For connections that may meet a writer; a lock that is to be had at once or not at all goes without. */
export const patience = 'PRAGMA busy_timeout = 5000;';

export type SqliteDriver = Readonly<{
  name: string;
  /** One that only reads waits a while for who writes. */
  open: (path: string, options?: Readonly<{ readOnly?: boolean }>) => SqliteDatabase;
}>;

/** SQLite as Node.js brings it, and where it does not, the package of the same interface. */
export function loadDriver(): SqliteDriver {
  const [name, { DatabaseSync }] = loadModule();
  return {
    name,
    open(path, options = {}) {
      const database = new DatabaseSync(path, options);
      if (options.readOnly) database.exec(patience);
      return database;
    },
  };
}

const moduleNames = ['node:sqlite', '@photostructure/sqlite'];

function loadModule(): readonly [string, SqliteModule] {
  const require = createRequire(import.meta.url);
  for (const name of moduleNames) {
    try {
      return [name, withoutExperimentalWarning(() => require(name) as SqliteModule)];
    } catch {
      // The next one may be there.
    }
  }
  throw new Error(
    'no SQLite for this Node.js: use Node.js 22.13 or newer, or run npm install @photostructure/sqlite',
  );
}

/**
 * Node.js 22 calls its SQLite experimental when it is loaded, and the user can do nothing about it. Afterwards warnings
 * are as they were: the process may be somebody else's.
 */
function withoutExperimentalWarning<Loaded>(load: () => Loaded): Loaded {
  const { emitWarning } = process;
  process.emitWarning = ((warning: unknown, ...rest: unknown[]) => {
    if (String(warning).includes('SQLite is an experimental feature')) return;
    (emitWarning as (...parts: unknown[]) => void).call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** SQLite's number for a disk without room. */
export const errorFull = 13;

/** SQLite's own number for what went wrong: the drivers put it into different places, and one forgets it at times. */
export function errorNumberOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errcode, sqliteCode } = error as Error & { errcode?: number; sqliteCode?: number };
  return errcode ?? sqliteCode ?? numbersByMessage[error.message];
}

const numbersByMessage: Readonly<Record<string, number>> = {
  'database is locked': 5,
  'attempt to write a readonly database': 8,
  'disk I/O error': 10,
  'database disk image is malformed': 11,
  'database or disk is full': errorFull,
  'unable to open database file': 14,
  'file is not a database': 26,
};
