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

/** For connections that may meet a writer. The start lock does without: it must succeed at once or not at all. */
export const busyTimeout = 'PRAGMA busy_timeout = 5000;';

export type SqliteDriver = Readonly<{
  name: string;
  /** A read-only connection waits a while for a writer. */
  open: (path: string, options?: Readonly<{ readOnly?: boolean }>) => SqliteDatabase;
}>;

/** The SQLite built into Node.js, or else the package with the same interface. */
export function loadDriver(): SqliteDriver {
  const [name, { DatabaseSync }] = loadModule();
  return {
    name,
    open(path, options = {}) {
      const database = new DatabaseSync(path, options);
      if (options.readOnly) database.exec(busyTimeout);
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
      // Try the next one.
    }
  }
  throw new Error(
    'no SQLite for this Node.js: use Node.js 22.13 or newer, or run npm install @photostructure/sqlite',
  );
}

/**
 * Node.js 22 warns that its SQLite is experimental when it loads, and the user can do nothing about that. Afterwards
 * warnings work as before, because the process may belong to somebody else's program.
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

/** SQLite's error number for a full disk. */
export const errorFull = 13;

/** SQLite's own error number. The drivers put it in different places, and one of them sometimes leaves it out. */
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
