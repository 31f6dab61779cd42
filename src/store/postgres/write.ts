import { limits } from '../../contract/limits.ts';
import type { BatchChanges } from '../batch.ts';
import type { Cell } from '../codec.ts';
import type { Waiter } from '../rows.ts';
import { type KindName, type TurnKind, turnKinds } from '../schema.ts';
import { changedColumnsOf, columnsIn, insertedColumnsOf, isLog, keyColumnsOf, namesOf } from '../tables.ts';
import { codecs, columnTypes, toArrays, toUnnest } from './dialect.ts';
import type { Session, SqlValue } from './session.ts';

/** Everything that one transaction writes. */
export type CommitRequest = Omit<BatchChanges, 'queues'> & QueueChanges;

export type QueueChanges = Readonly<{
  arrived: readonly Waiter[];
  /** Tickets that took over the place of an earlier ticket. */
  replaced: readonly Readonly<{ earlier: string; ticket: string }>[];
  gone: readonly string[];
}>;

type Statements = Readonly<{ insert: string; change: string; remove: string }>;

/**
 * In logs, rows are inserted, and later only the columns that can change are updated. Rows of other kinds are
 * replaced as a whole.
 */
const statements = Object.fromEntries(
  turnKinds.map((kind) => [
    kind,
    { insert: toInsert(kind), change: isLog(kind) ? toUpdate(kind) : toUpsert(kind), remove: toDelete(kind) },
  ]),
) as Readonly<Record<TurnKind, Statements>>;

const insertEvents = toInsert('events');

/** Inserts new rows with every column that a new row can have. */
export function toInsert(kind: KindName, columns = insertedColumnsOf(kind)): string {
  return `INSERT INTO ${kind} (${namesOf(columns)}) SELECT * FROM ${toUnnest(columns)}`;
}

function toUpsert(kind: TurnKind): string {
  const keys = namesOf(keyColumnsOf(kind));
  const set = columnsIn(kind).map(({ name }) => `${name} = excluded.${name}`);
  return `${toInsert(kind, columnsIn(kind))} ON CONFLICT (${keys}) DO UPDATE SET ${set.join(', ')}`;
}

function toDelete(kind: TurnKind): string {
  const [key] = keyColumnsOf(kind);
  return `DELETE FROM ${kind} WHERE ${key?.name} = ANY ($1::${key && columnTypes[key.column.type]}[])`;
}

function toUpdate(kind: TurnKind): string {
  const columns = changedColumnsOf(kind);
  const equal = (sign: string) => columns.map(({ name }) => `${name} = ${sign}${name}`);
  const key = columns.at(-1)?.name;
  return `UPDATE ${kind} SET ${equal('new.').slice(0, -1).join(', ')}
  FROM ${toUnnest(columns)} AS new (${namesOf(columns)}) WHERE ${kind}.${key} = new.${key}`;
}

const forgetAnswers = `WITH gone AS (
    DELETE FROM answers WHERE key IN (
      (SELECT key FROM answers WHERE kept_until < $1 ORDER BY kept_until LIMIT 100) UNION
      (SELECT key FROM answers ORDER BY kept_until
       LIMIT (SELECT greatest(answer_count + $2 - ${limits.idempotencyKeysKeptMax}, 0) FROM counters))
    ) RETURNING key
  )
  UPDATE counters SET answer_count = answer_count + $2 - (SELECT count(*) FROM gone)`;
const waiterNames = namesOf(columnsIn('waiters'));
const insertWaiters = `INSERT INTO waiters (bus, ${waiterNames}) SELECT $1, ${waiterNames}
  FROM ${toUnnest(columnsIn('waiters'), 2)} WITH ORDINALITY AS new (${waiterNames}, place) ORDER BY place`;
const replaceWaiters = `UPDATE waiters SET bus = $1, ticket = new.ticket, arrived_at = clock_timestamp()
  FROM unnest($2::text[], $3::text[]) AS new (earlier, ticket) WHERE waiters.ticket = new.earlier`;
const forgetWaiters = `DELETE FROM waiters
  WHERE arrived_at < clock_timestamp() - interval '${limits.waitSecondsMax + 10} seconds'`;
const deleteWaiters = 'DELETE FROM waiters WHERE ticket = ANY ($1::text[])';
const counterColumns = columnsIn('counters');
export const updateCounters = `UPDATE counters SET ${counterColumns.map(({ name }, index) => `${name} = $${index + 1}`).join(', ')}`;
const [channelPlace, payloadPlace] = [1, 2].map((more) => `$${counterColumns.length + more}`);
const updateCountersAndTell = `${updateCounters} RETURNING pg_notify(${channelPlace}, ${payloadPlace})`;

/** How long a process counts as alive after a sign of life. It gives one every two seconds. */
const aliveSeconds = 6;
export const pulseMilliseconds = 2_000;

const showLife = `INSERT INTO buses (bus, alive_until) VALUES ($1, clock_timestamp() + interval '${aliveSeconds} seconds')
  ON CONFLICT (bus) DO UPDATE SET alive_until = excluded.alive_until`;

/** Shows that this process lives, so that the waiters in it keep their places. Does nothing when nobody waits. */
export async function writeSignOfLife(ask: Session['ask'], bus: string): Promise<void> {
  await ask(
    `UPDATE buses SET alive_until = clock_timestamp() + interval '${aliveSeconds} seconds'
     WHERE bus = $1 AND EXISTS (SELECT FROM waiters WHERE waiters.bus = $1)`,
    bus,
  );
}

/** Stores a time that the database's own clock has not reached, for other processes and for later ones. */
export async function writeTime(ask: Session['ask'], milliseconds: number): Promise<void> {
  await ask('UPDATE counters SET clock_ms = greatest(clock_ms, $1)', milliseconds);
}

/**
 * Nobody waits in this process any more. Runs under the order lock, because another process may take over a place at
 * the same time.
 */
export async function writeFarewell(ask: Session['ask'], bus: string): Promise<void> {
  await Promise.all([
    ask(
      `WITH locked AS MATERIALIZED (SELECT FROM counters FOR UPDATE)
       DELETE FROM waiters USING locked WHERE bus = $1`,
      bus,
    ),
    ask(`DELETE FROM buses WHERE bus = $1 OR alive_until < clock_timestamp() - interval '1 day'`, bus),
  ]);
}

/**
 * Sends all statements of a commit without waiting in between, and only those that have something to write. One
 * notification tells every process where the log ends now.
 */
export function writeRows(
  ask: Session['ask'],
  request: CommitRequest,
  { bus, channel }: Readonly<{ bus: string; channel: string }>,
): Promise<unknown>[] {
  const { fresh, changed, removed, events, pruned, counters, arrived, replaced, gone } = request;
  const sent: Promise<unknown>[] = [];
  const send = (sql: string, values: readonly Parameters<Session['ask']>[1][]) =>
    sent.push(ask(sql, ...values));
  const sendRows = <Row>(sql: string, rows: Iterable<Row>, toValues: (row: Row) => readonly Cell[]) => {
    const values = Array.from(rows, toValues);
    if (values.length > 0) send(sql, toArrays(values));
  };
  for (const kind of turnKinds) {
    const { inserted, changed: changedOf } = codecs.written[kind];
    sendRows<never>(statements[kind].insert, fresh[kind] as never[], inserted);
    sendRows<never>(statements[kind].change, changed[kind].values() as never, changedOf);
    if (removed[kind].size > 0) send(statements[kind].remove, [[...removed[kind]] as SqlValue]);
  }
  sendRows(insertEvents, events, codecs.toEventValues);
  // Each commit with new kept responses deletes a few expired ones, so no separate cleanup is needed.
  if (changed.answers.size > 0) send(forgetAnswers, [counters.clockMilliseconds, changed.answers.size]);
  if (pruned) {
    send('DELETE FROM events WHERE id <= $1', [pruned.eventId]);
    send('DELETE FROM messages WHERE id <= $1', [pruned.messageId]);
  }
  if (gone.length > 0) send(deleteWaiters, [gone]);
  if (replaced.length > 0) {
    send(replaceWaiters, [bus, ...toArrays(replaced.map(({ earlier, ticket }) => [earlier, ticket]))]);
  }
  if (arrived.length > 0) {
    send(insertWaiters, [bus, ...toArrays(arrived.map(codecs.waiters.toValues))]);
    send(forgetWaiters, []);
  }
  if (arrived.length + replaced.length > 0) send(showLife, [bus]);
  const counted = codecs.counters.toValues(counters);
  if (events.length === 0) send(updateCounters, counted);
  else send(updateCountersAndTell, [...counted, channel, `${counters.lastEventId} ${bus}`]);
  return sent;
}
