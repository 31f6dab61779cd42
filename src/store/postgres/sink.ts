import {
  type Hole,
  type RowSink,
  type TableName,
  type Tables,
  type Totals,
  toNotEmpty,
} from '../transfer.ts';
import {
  toAcknowledgedValues,
  toAnswerValues,
  toArrays,
  toCounterValues,
  toLaneValues,
  toMessageValues,
  toStoredEventValues,
} from './encode.ts';
import { UnusableDatabaseError } from './errors.ts';
import { type PostgresLocation, parsePostgresUrl } from './location.ts';
import { migrate } from './migrate.ts';
import { toOpenError } from './open.ts';
import { createRowReader } from './read.ts';
import type { Session } from './session.ts';
import { createPageReader, openPatientSession } from './source.ts';

/** Fills a schema in which nothing was ever kept. Buses that run on it wait until it is done. */
export async function openPostgresSink(url: string): Promise<RowSink> {
  const location = parsePostgresUrl(url);
  let session: Session | undefined;
  try {
    session = await openPatientSession(location);
    await migrate(session, location);
    await session.tell('BEGIN ISOLATION LEVEL READ COMMITTED');
    await createRowReader(session.ask, '').lockedCounters();
    await checkEmpty(session, location);
    return createSink(session, location.shown);
  } catch (error) {
    await session?.end().catch(() => {});
    throw toOpenError(error, location);
  }
}

function createSink(session: Session, location: string): RowSink {
  async function write<Name extends TableName>(table: Name, rows: readonly Tables[Name][]): Promise<void> {
    const { columns, toValues } = writers[table];
    const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
    const names = columns.map(([name]) => name).join(', ');
    const sql = `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays})`;
    await session.ask(sql, ...toArrays(rows.map(toValues)));
  }

  async function commit(totals: Totals, holes: readonly Hole[]): Promise<void> {
    await session.ask(
      `UPDATE counters SET last_message_id = $1, last_event_id = $2, message_count = $3, pending_flag_count = $4,
       pruned_message_id = $5, pruned_event_id = $6, clock_ms = $7, fence_floor = $8,
       answer_count = (SELECT count(*) FROM answers)`,
      ...toCounterValues(totals, totals.clockMilliseconds),
      totals.fenceFloor,
    );
    // What ran out where the rows come from was told to be over there, and stays so.
    await session.ask('UPDATE life SET served_until = greatest(served_until, $1)', totals.clockMilliseconds);
    for (const { log, firstId, lastId } of holes) {
      await session.ask(
        'INSERT INTO holes (log, first_id, last_id) VALUES ($1, $2, $3)',
        log,
        firstId,
        lastId,
      );
    }
    await session.tell('COMMIT');
  }

  // What was not committed goes with the connection.
  return { location, write, readPages: createPageReader(session), commit, close: session.end };
}

type Writer<Row> = Readonly<{
  columns: readonly (readonly [string, string])[];
  toValues: (row: Row) => (string | number | boolean | null)[];
}>;

const writers: { readonly [Name in TableName]: Writer<Tables[Name]> } = {
  messages: {
    columns: [
      ['id', 'bigint'],
      ['topic', 'text'],
      ['sender', 'text'],
      ['body', 'text'],
      ['action_flag', 'boolean'],
      ['ts', 'bigint'],
      ['acknowledged_by', 'text'],
      ['acknowledged_at', 'bigint'],
    ],
    toValues: (row) => [...toMessageValues(row), ...toAcknowledgedValues(row).slice(0, 2)],
  },
  events: {
    columns: [
      ['id', 'bigint'],
      ['kind', 'text'],
      ['ts', 'bigint'],
      ['message_id', 'bigint'],
      ['lane', 'text'],
      ['detail', 'text'],
    ],
    toValues: (row) => toStoredEventValues(row, row.messageId),
  },
  lanes: {
    columns: [
      ['lane', 'text'],
      ['fence', 'bigint'],
      ['owner', 'text'],
      ['claimed_at', 'bigint'],
      ['heartbeat_at', 'bigint'],
      ['expires_at', 'bigint'],
      ['lease_s', 'bigint'],
    ],
    toValues: toLaneValues,
  },
  answers: {
    columns: [
      ['key', 'text'],
      ['fingerprint', 'text'],
      ['answer', 'text'],
      ['kept_until', 'bigint'],
    ],
    toValues: toAnswerValues,
  },
};

async function checkEmpty(session: Session, { shown }: PostgresLocation): Promise<void> {
  const [found] = await session.ask<{ kept: number }>(
    `SELECT (SELECT last_message_id + last_event_id FROM counters)
       + (SELECT count(*) FROM lanes) + (SELECT count(*) FROM answers) AS kept`,
  );
  if (found?.kept !== 0) throw new UnusableDatabaseError(toNotEmpty(shown).message);
}
