import type { Counters, Hole } from '../rows.ts';
import type { CopiedKind, KindName, Row } from '../schema.ts';
import { type RowSink, toNotEmpty } from '../transfer.ts';
import { codecs, toArrays } from './dialect.ts';
import { UnusableDatabaseError } from './errors.ts';
import { type PostgresLocation, parsePostgresUrl } from './location.ts';
import { migrate } from './migrate.ts';
import { toOpenError } from './open.ts';
import { createRowReader } from './read.ts';
import type { Session } from './session.ts';
import { createPageReader, openSessionWithoutTimeout } from './source.ts';
import { toInsert, updateCounters } from './write.ts';

/** Fills an empty schema. Buses that run on it wait until it is done. */
export async function openPostgresSink(url: string): Promise<RowSink> {
  const location = parsePostgresUrl(url);
  let session: Session | undefined;
  try {
    session = await openSessionWithoutTimeout(location);
    await migrate(session, location);
    await session.run('BEGIN ISOLATION LEVEL READ COMMITTED');
    await createRowReader(session.ask, '').lockedCounters();
    await checkEmpty(session, location);
    return createSink(session, location.shown);
  } catch (error) {
    await session?.end().catch(() => {});
    throw toOpenError(error, location);
  }
}

function createSink(session: Session, location: string): RowSink {
  async function insert<Name extends KindName & keyof typeof codecs>(kind: Name, rows: readonly Row<Name>[]) {
    const { columns, toValues } = codecs[kind];
    const values = rows.map((row) => toValues(row as never));
    if (rows.length > 0) await session.ask(toInsert(kind, columns), ...toArrays(values));
  }

  const write = <Name extends CopiedKind>(kind: Name, rows: readonly Row<Name>[]) => insert(kind, rows);

  async function commit(totals: Counters, holes: readonly Hole[]): Promise<void> {
    await session.ask(updateCounters, ...codecs.counters.toValues(totals));
    await session.ask('UPDATE counters SET answer_count = (SELECT count(*) FROM answers)');
    await insert('holes', holes);
    // Leases that expired at the source were reported as expired there, and must stay expired here.
    await session.ask('UPDATE life SET served_until = greatest(served_until, $1)', totals.clockMilliseconds);
    await session.run('COMMIT');
  }

  // Whatever was not committed disappears with the connection.
  return { location, write, readPages: createPageReader(session), commit, close: session.end };
}

async function checkEmpty(session: Session, { shown }: PostgresLocation): Promise<void> {
  const [found] = await session.ask<{ kept: number }>(
    `SELECT (SELECT last_message_id + last_event_id FROM counters)
       + (SELECT count(*) FROM lanes) + (SELECT count(*) FROM answers) AS kept`,
  );
  if (found?.kept !== 0) throw new UnusableDatabaseError(toNotEmpty(shown).message);
}
