import type { BusError } from '../../contract/errors.ts';
import { toUnavailable } from '../group-commit.ts';
import { compatibleFromOf, migrations } from '../migrations/index.ts';
import type { Migration } from '../migrations/migration.ts';
import { stateOf, UnusableDatabaseError } from './errors.ts';
import type { PostgresLocation } from './location.ts';
import type { Session } from './session.ts';

export type Version = Readonly<{ version: number; compatible_from: number }>;

const errorInsufficientPrivilege = '42501';

/**
 * Brings an older schema to this version in one transaction, one process at a time. Refuses a newer schema that this
 * version would misread. Tests pass their own steps.
 */
export async function migrate(
  session: Session,
  { schema, shown }: Pick<PostgresLocation, 'schema' | 'shown'>,
  steps = migrations,
): Promise<void> {
  if (isCurrent(await readVersion(session, schema), shown, steps.length)) return;
  // A snapshot for the whole transaction would be taken before the lock is obtained, and would miss what the last
  // holder created.
  await session.run('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await session.run('SET LOCAL lock_timeout = 0');
    await session.ask('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', `bus-mcp ${schema}`);
    const found = await readVersion(session, schema);
    if (!isCurrent(found, shown, steps.length))
      await runMigrations(session, { schema, shown, version: found?.version ?? 0, steps });
    await session.run('COMMIT');
  } catch (error) {
    await session.run('ROLLBACK').catch(() => {});
    throw error;
  }
}

export async function readVersion(session: Session, schema: string): Promise<Version | undefined> {
  // Functions like to_regclass use a cache that may not know yet what another process has just committed.
  const tables = await session.ask(
    `SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = $1 AND relname = 'schema_version'`,
    schema,
  );
  if (tables.length === 0) return undefined;
  const [version] = await session.ask<Version>(
    `SELECT version, compatible_from FROM "${schema}".schema_version`,
  );
  return version;
}

function isCurrent(found: Version | undefined, shown: string, known: number): boolean {
  if (found && isNewer(found, known)) {
    throw new UnusableDatabaseError(
      `the database ${shown} ${toChange(found, known)}: upgrade bus-mcp, or name another database with BUS_STORE`,
    );
  }
  return found !== undefined && found.version >= known;
}

/** Why a running bus has to stop after a newer bus changed the database. */
export function toOutdated(found: Version): BusError | undefined {
  if (!isNewer(found, migrations.length)) return undefined;
  return toUnavailable(
    `the database ${toChange(found, migrations.length)}: upgrade this bus, or use one that was`,
    10,
  );
}

function isNewer(found: Version, known: number): boolean {
  return found.compatible_from > known;
}

function toChange({ version }: Version, known: number): string {
  return `was changed by a newer bus-mcp (its version is ${version}, this one knows ${known})`;
}

async function runMigrations(
  session: Session,
  {
    schema,
    shown,
    version,
    steps,
  }: Readonly<{ schema: string; shown: string; version: number; steps: readonly Migration[] }>,
): Promise<void> {
  if (version === 0) await createSchema(session, schema, shown);
  // Running buses wait for this lock, and check the version once they have it.
  else await session.run('SELECT FROM counters FOR UPDATE');
  for (const { postgres } of steps.slice(version)) await session.run(postgres);
  await session.ask(
    'UPDATE schema_version SET version = $1, compatible_from = $2',
    steps.length,
    compatibleFromOf(steps),
  );
}

async function createSchema(session: Session, schema: string, shown: string): Promise<void> {
  const [database] = await session.ask<{ encoding: string; has_schema: boolean }>(
    `SELECT current_setting('server_encoding') AS encoding,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS has_schema`,
    schema,
  );
  if (database?.encoding !== 'UTF8') {
    throw new UnusableDatabaseError(
      `the database ${shown} keeps text as ${database?.encoding}: make one with CREATE DATABASE … ENCODING 'UTF8'`,
    );
  }
  try {
    if (!database.has_schema) await session.run(`CREATE SCHEMA "${schema}"`);
    await session.run('CREATE TABLE schema_version (version int NOT NULL, compatible_from int NOT NULL)');
    await session.run('INSERT INTO schema_version VALUES (0, 0)');
  } catch (error) {
    if (stateOf(error) !== errorInsufficientPrivilege) throw error;
    throw new UnusableDatabaseError(
      `the role may not make the schema "${schema}" in ${shown}: ` +
        `have an administrator run CREATE SCHEMA "${schema}" AUTHORIZATION the_role`,
    );
  }
}
