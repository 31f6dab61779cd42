import { migrations } from '../migrations/index.ts';
import type { Counters } from '../rows.ts';
import type { CopiedKind, Row } from '../schema.ts';
import { keyColumnsOf, lowestKeyOf, namesOf } from '../tables.ts';
import { pageRowsOfTransfer, type ReadPages, type RowSource } from '../transfer.ts';
import { createConnect } from './connect.ts';
import { codecs } from './dialect.ts';
import { UnusableDatabaseError } from './errors.ts';
import { type PostgresLocation, parsePostgresUrl } from './location.ts';
import { readVersion } from './migrate.ts';
import { toOpenError } from './open.ts';
import { hasBus } from './presence.ts';
import { createRowReader } from './read.ts';
import type { Session } from './session.ts';

/** A snapshot of all rows of a schema; buses may go on writing to it. */
export async function openPostgresSource(url: string): Promise<RowSource> {
  const location = parsePostgresUrl(url);
  let session: Session | undefined;
  try {
    session = await openSessionWithoutTimeout(location);
    await checkVersion(session, location);
    const isInUse = await hasBus(session, location.channel);
    await session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return {
      location: location.shown,
      hasBus: isInUse,
      totals: await readTotals(session),
      holes: (await session.ask<Columns>('SELECT * FROM holes ORDER BY log, first_id')).map(
        codecs.holes.fromColumns,
      ),
      readPages: createPageReader(session),
      close: session.end,
    };
  } catch (error) {
    await session?.end().catch(() => {});
    throw toOpenError(error, location);
  }
}

/** A connection that may stay in a transaction for a long time, because the other side of a copy may be slow. */
export async function openSessionWithoutTimeout(location: PostgresLocation): Promise<Session> {
  const connect = await createConnect(location);
  const session = await connect('copy', { hasTimeout: false });
  await session.run('SET idle_in_transaction_session_timeout = 0');
  return session;
}

type Columns = Readonly<Record<string, unknown>>;

export function createPageReader(session: Session): ReadPages {
  async function* readPages<Name extends CopiedKind>(kind: Name): AsyncGenerator<readonly Row<Name>[]> {
    const { columns, fromColumns } = codecs[kind];
    const key = namesOf(keyColumnsOf(kind));
    const rest = `ORDER BY ${key} LIMIT ${pageRowsOfTransfer}`;
    const sql = `SELECT ${namesOf(columns)} FROM ${kind} WHERE ${key} > $1 ${rest}`;
    for (let after: string | number = lowestKeyOf(kind); ; ) {
      const rows = await session.ask<Columns>(sql, after);
      if (rows.length === 0) return;
      yield rows.map((row) => fromColumns(row) as Row<Name>);
      after = (rows.at(-1)?.[key] as string | number | undefined) ?? '';
    }
  }
  return readPages;
}

async function readTotals(session: Session): Promise<Counters> {
  const { databaseNow: _now, ...totals } = await createRowReader(session.ask, '').counters();
  return totals;
}

async function checkVersion(session: Session, { schema, shown }: PostgresLocation): Promise<void> {
  const found = await readVersion(session, schema);
  if (found?.version === migrations.length) return;
  throw new UnusableDatabaseError(
    found === undefined
      ? `there is no bus in ${shown}`
      : `the database ${shown} has version ${found.version}, and this bus-mcp knows ${migrations.length}: ` +
          'start a bus of the newer version on it once, and use that version',
  );
}
