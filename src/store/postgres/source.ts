import {
  type Hole,
  pageRowsOfTransfer,
  type ReadPages,
  type RowSource,
  type TableName,
  type Tables,
  type Totals,
} from '../transfer.ts';
import { createConnect } from './connect.ts';
import { fromAnswerColumns, fromLaneColumns, fromMessageColumns, fromStoredEventColumns } from './encode.ts';
import { UnusableDatabaseError } from './errors.ts';
import { type PostgresLocation, parsePostgresUrl } from './location.ts';
import { readVersion } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { toOpenError } from './open.ts';
import { hasBus } from './presence.ts';
import { createRowReader } from './read.ts';
import type { Session } from './session.ts';

/** All rows of a schema as of now; buses may go on writing to it. */
export async function openPostgresSource(url: string): Promise<RowSource> {
  const location = parsePostgresUrl(url);
  let session: Session | undefined;
  try {
    session = await openPatientSession(location);
    await checkVersion(session, location);
    const isInUse = await hasBus(session, location.channel);
    await session.tell('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return {
      location: location.shown,
      hasBus: isInUse,
      totals: await readTotals(session),
      holes: await session.ask<Hole>(
        'SELECT log, first_id AS "firstId", last_id AS "lastId" FROM holes ORDER BY log, first_id',
      ),
      readPages: createPageReader(session),
      close: session.end,
    };
  } catch (error) {
    await session?.end().catch(() => {});
    throw toOpenError(error, location);
  }
}

/** A connection that may sit in a transaction for long, because the other side of a copy takes its time. */
export async function openPatientSession(location: PostgresLocation): Promise<Session> {
  const connect = await createConnect(location);
  const session = await connect('copy', { isPatient: true });
  await session.tell('SET idle_in_transaction_session_timeout = 0');
  return session;
}

export function createPageReader(session: Session): ReadPages {
  async function* readPages<Name extends TableName>(table: Name): AsyncGenerator<readonly Tables[Name][]> {
    const { key, fromColumns } = readers[table];
    const sql = `SELECT * FROM ${table} WHERE ${key} > $1 ORDER BY ${key} LIMIT ${pageRowsOfTransfer}`;
    for (let after: string | number = key === 'id' ? 0 : ''; ; ) {
      const rows = await session.ask<Readonly<Record<string, string | number>>>(sql, after);
      if (rows.length === 0) return;
      yield rows.map((row) => fromColumns(row as never));
      after = rows.at(-1)?.[key] ?? '';
    }
  }
  return readPages;
}

type Reader<Row> = Readonly<{ key: string; fromColumns: (columns: never) => Row }>;

const readers: { readonly [Name in TableName]: Reader<Tables[Name]> } = {
  messages: { key: 'id', fromColumns: fromMessageColumns },
  events: { key: 'id', fromColumns: fromStoredEventColumns },
  lanes: { key: 'lane', fromColumns: fromLaneColumns },
  answers: { key: 'key', fromColumns: fromAnswerColumns },
};

async function readTotals(session: Session): Promise<Totals> {
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
