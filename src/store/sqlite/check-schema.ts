import { migrations } from '../migrations/index.ts';
import { loadDriver, type SqliteDatabase } from './driver.ts';
import { migrate, readVersion, toForeign } from './migrate.ts';

/** A bus database whose tables, indexes, triggers or views differ from those that a bus creates. */
export class ChangedSchemaError extends Error {
  readonly finding: string;

  constructor(path: string, finding: string) {
    super(
      `the database ${path} is not as a bus made it: ${finding}. Restore a backup that bus-mcp verify finds sound`,
    );
    this.name = 'ChangedSchemaError';
    this.finding = finding;
  }
}

/**
 * Compares the schema with what the migrations create, and throws when it differs.
 *
 * SQLite runs triggers inside our own writes, and resolves a view with a table's name inside our own reads. Either
 * could remove acknowledged rows, or keep a query running forever. So the schema is checked before any table is
 * read. Reading the schema is safe: it is always a table, and reading it runs no code.
 */
export function checkSchema(database: SqliteDatabase, path: string): void {
  const found = readParts(database);
  const wanted = readWantedParts(readVersion(database));
  if (!found.has('table counters')) throw toForeign(path);
  const foreign = [...found.keys()].filter((name) => !wanted.has(name));
  const missing = [...wanted.keys()].filter((name) => !found.has(name));
  const changed = [...wanted].filter(([name, sql]) => (found.get(name) ?? sql) !== sql).map(([name]) => name);
  const findings = [
    ...toFinding('it has what no bus makes', foreign),
    ...toFinding('something is missing', missing),
    ...toFinding('something was changed', changed),
  ];
  if (findings.length > 0) throw new ChangedSchemaError(path, findings.join('; '));
}

type Parts = ReadonlyMap<string, string>;

/** The SQL of each part, keyed by kind and name. SQLite's own planner statistics are left out. */
function readParts(database: SqliteDatabase): Parts {
  const sql =
    "SELECT type, name, tbl_name AS tableName, sql FROM sqlite_schema WHERE NOT (type = 'table' AND name GLOB 'sqlite_stat[1-4]')";
  const rows = database.prepare(sql).all() as Readonly<
    Record<'type' | 'name' | 'tableName', string> & { sql: string | null }
  >[];
  return new Map(
    rows.map(({ type, name, tableName, sql: text }) => [
      `${type} ${name}`,
      `${tableName} ${text?.replace(/\s+/g, ' ') ?? ''}`,
    ]),
  );
}

function readWantedParts(version: number): Parts {
  const database = loadDriver().open(':memory:');
  try {
    migrate(database, ':memory:', migrations.slice(0, version));
    return readParts(database);
  } finally {
    database.close();
  }
}

/** Others choose these names, so they are shortened and limited in number. */
function toFinding(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, namesShownMax).map((name) => name.slice(0, nameCharactersMax));
  const more = names.length > shown.length ? `, and ${names.length - shown.length} more` : '';
  return [`${what} (${shown.join(', ')}${more})`];
}

const namesShownMax = 5;
const nameCharactersMax = 80;
