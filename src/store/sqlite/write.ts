import { limits } from '../../contract/limits.ts';
import { type BatchChanges, isEmpty } from '../batch.ts';
import type { Cell } from '../codec.ts';
import type { Pruned } from '../rows.ts';
import { type TurnKind, turnKinds } from '../schema.ts';
import { changedColumnsOf, insertedColumnsOf, isLog, namesOf } from '../tables.ts';
import { codecs } from './dialect.ts';
import type { SqliteDatabase, SqliteValue } from './driver.ts';
import type { HighWater } from './integrity/mark.ts';
import { rollBack } from './transactions.ts';

/**
 * What the writer thread is sent: of each table the values of all its rows, one row after the other. It travels as JSON,
 * which costs a third of what copying the rows from thread to thread does.
 */
export type CommitRequest = Readonly<{
  /** New rows of logs. */
  fresh: Values;
  /** What was set later in rows of logs, and whole rows of the other kinds. */
  changed: Values;
  events: readonly Cell[];
  pruned?: Pruned | undefined;
  counters: readonly Cell[];
  decidedAt: number;
  /** Which refusals its sender knew of. */
  round: number;
  /** How far this commit goes; fence and time only of what it writes. */
  highWater: HighWater;
}>;

/** Only kinds of which there is something. */
type Values = { readonly [Name in TurnKind]?: readonly Cell[] };

export function toCommitRequest(changes: BatchChanges, round: number): CommitRequest {
  const { fresh, changed, events, pruned, counters } = changes;
  const values: Record<'fresh' | 'changed', { [Name in TurnKind]?: Cell[] }> = { fresh: {}, changed: {} };
  for (const kind of turnKinds) {
    if (fresh[kind].length > 0)
      values.fresh[kind] = flatten<never>(fresh[kind] as never[], codecs.written[kind].inserted);
    if (changed[kind].size > 0)
      values.changed[kind] = flatten<never>(changed[kind].values() as never, codecs.written[kind].changed);
  }
  let fence = 0;
  for (const lane of changed.lanes.values()) fence = Math.max(fence, lane.fence);
  return {
    ...values,
    events: flatten(events, codecs.toEventValues),
    pruned,
    counters: codecs.counters.toValues(counters),
    decidedAt: counters.clockMilliseconds,
    round,
    highWater: {
      messageId: counters.lastMessageId,
      eventId: counters.lastEventId,
      fence,
      // Nothing is missing when nothing but a probe is.
      clockMilliseconds: isEmpty(changes) ? 0 : counters.clockMilliseconds,
    },
  };
}

/** The values of all rows, one after the other. */
function flatten<Row>(rows: Iterable<Row>, valuesOf: (row: Row) => readonly Cell[]): Cell[] {
  const values: Cell[] = [];
  for (const row of rows) values.push(...valuesOf(row));
  return values;
}

/** Ends the thread; everything else that it is sent is a `CommitRequest`. */
export const closeRequest = 'close';

/** Keeps all requests in one transaction: all of them, or nothing and an exception. */
export function createRowWriter(database: SqliteDatabase): (requests: readonly CommitRequest[]) => void {
  const writers = Object.fromEntries(turnKinds.map((kind) => [kind, createKindWriter(database, kind)]));
  const events = createInserter(database, 'events');
  const counterNames = codecs.counters.columns.map(({ name }) => `${name} = ?`).join(', ');
  const counters = database.prepare(`UPDATE counters SET ${counterNames}`);
  const answers = createAnswerKeeper(database);
  const pruneMessages = database.prepare('DELETE FROM messages WHERE id <= ?');
  const pruneEvents = database.prepare('DELETE FROM events WHERE id <= ?');

  function writeRows(request: CommitRequest): void {
    for (const kind of turnKinds) {
      writers[kind]?.insert(request.fresh[kind]);
      writers[kind]?.change(request.changed[kind]);
    }
    events(request.events);
    if (request.changed.answers) answers.follow(request.changed.answers, request.decidedAt);
    if (request.pruned) {
      pruneEvents.run(request.pruned.eventId);
      pruneMessages.run(request.pruned.messageId);
    }
  }

  return (requests) => {
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const request of requests) writeRows(request);
      counters.run(...((requests.at(-1)?.counters ?? []) as SqliteValue[]));
      database.exec('COMMIT');
    } catch (error) {
      rollBack(database);
      answers.recount();
      throw error;
    }
  };
}

type Write = (values: readonly Cell[] | undefined) => void;

/** Rows of a log are inserted, and later only what is set later changes. Rows of other kinds are replaced whole. */
function createKindWriter(
  database: SqliteDatabase,
  kind: TurnKind,
): Readonly<{ insert: Write; change: Write }> {
  if (!isLog(kind)) return { insert: () => {}, change: createInserter(database, kind, 'INSERT OR REPLACE') };
  return { insert: createInserter(database, kind), change: createUpdater(database, kind) };
}

/** Each run of a statement costs as much as three of its rows, so eight rows share one. */
const rowsAtOnce = 8;

function createInserter(database: SqliteDatabase, kind: TurnKind | 'events', verb = 'INSERT'): Write {
  const columns = insertedColumnsOf(kind);
  const row = `(${columns.map(() => '?').join(', ')})`;
  const into = `${verb} INTO ${kind} (${namesOf(columns)})`;
  const prepare = (rows: number) => database.prepare(`${into} VALUES ${Array(rows).fill(row).join(', ')}`);
  const [many, one] = [prepare(rowsAtOnce), prepare(1)];
  const valuesAtOnce = rowsAtOnce * columns.length;

  return (values = []) => {
    let start = 0;
    for (; start + valuesAtOnce <= values.length; start += valuesAtOnce) {
      many.run(...(values.slice(start, start + valuesAtOnce) as SqliteValue[]));
    }
    for (; start < values.length; start += columns.length)
      one.run(...(values.slice(start, start + columns.length) as SqliteValue[]));
  };
}

function createUpdater(database: SqliteDatabase, kind: TurnKind): Write {
  const columns = changedColumnsOf(kind).map(({ name }) => `${name} = ?`);
  const update = database.prepare(
    `UPDATE ${kind} SET ${columns.slice(0, -1).join(', ')} WHERE ${columns.at(-1)}`,
  );
  return (values = []) => {
    for (let start = 0; start < values.length; start += columns.length)
      update.run(...(values.slice(start, start + columns.length) as SqliteValue[]));
  };
}

/** Old answers leave a few at a time with the commits that bring new ones, so there is nothing to sweep. */
function createAnswerKeeper(database: SqliteDatabase) {
  const oldest = 'SELECT key FROM answers WHERE kept_until < ? ORDER BY kept_until LIMIT ?';
  const forget = database.prepare(`DELETE FROM answers WHERE key IN (${oldest})`);
  const count = database.prepare('SELECT count(*) AS kept FROM answers');
  let kept: number | undefined;

  /** After the answers were written. One that took the place of another is counted twice until the next count. */
  function follow(answers: readonly Cell[], decidedAt: number): void {
    if (kept === undefined) kept = (count.get() as { kept: number }).kept;
    else kept += answers.length / codecs.answers.columns.length;
    kept -= forgetBefore(decidedAt, forgottenAtOnceMax);
    const tooMany = kept - limits.idempotencyKeysKeptMax;
    if (tooMany > 0) kept -= forgetBefore(Number.MAX_SAFE_INTEGER, tooMany);
  }

  function forgetBefore(time: number, most: number): number {
    const { changes } = forget.run(time, most) as { changes: number | bigint };
    return Number(changes);
  }

  return {
    follow,
    /** What was counted for a transaction that was undone is not there. */
    recount(): void {
      kept = undefined;
    },
  };
}

const forgottenAtOnceMax = 100;
