import { limits } from '../../contract/limits.ts';
import { type BatchChanges, isEmpty } from '../batch.ts';
import type { Cell } from '../codec.ts';
import type { Pruned } from '../rows.ts';
import { type TurnKind, turnKinds } from '../schema.ts';
import { changedColumnsOf, insertedColumnsOf, isLog, keyColumnsOf, namesOf } from '../tables.ts';
import { codecs } from './dialect.ts';
import type { SqliteDatabase, SqliteValue } from './driver.ts';
import type { HighWater } from './integrity/mark.ts';
import { rollBack } from './transactions.ts';

/**
 * What the main thread sends to the writer thread: for each table the values of all its rows in one flat list. It
 * travels as JSON, which costs a third of copying row objects between threads.
 */
export type CommitRequest = Readonly<{
  /** New rows of logs. */
  fresh: Values;
  /** Later changes to log rows, and whole rows of the other kinds. */
  changed: Values;
  /** The keys of rows that go. */
  removed: Values;
  events: readonly Cell[];
  pruned?: Pruned | undefined;
  counters: readonly Cell[];
  decidedAt: number;
  /** The last refusal that the sender knew of. */
  round: number;
  /** How far this commit goes. Fence and time count only if the commit writes them. */
  highWater: HighWater;
}>;

/** Holds only the kinds that have rows. */
type Values = { readonly [Name in TurnKind]?: readonly Cell[] };

export function toCommitRequest(changes: BatchChanges, round: number): CommitRequest {
  const { fresh, changed, removed, events, pruned, counters } = changes;
  const values: Record<'fresh' | 'changed' | 'removed', { [Name in TurnKind]?: Cell[] }> = {
    fresh: {},
    changed: {},
    removed: {},
  };
  for (const kind of turnKinds) {
    if (fresh[kind].length > 0)
      values.fresh[kind] = flatten<never>(fresh[kind] as never[], codecs.written[kind].inserted);
    if (changed[kind].size > 0)
      values.changed[kind] = flatten<never>(changed[kind].values() as never, codecs.written[kind].changed);
    if (removed[kind].size > 0) values.removed[kind] = [...removed[kind]];
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
      // If only a probe is missing, nothing is missing.
      clockMilliseconds: isEmpty(changes) ? 0 : counters.clockMilliseconds,
    },
  };
}

/** The values of all rows in one flat list. */
function flatten<Row>(rows: Iterable<Row>, valuesOf: (row: Row) => readonly Cell[]): Cell[] {
  const values: Cell[] = [];
  for (const row of rows) values.push(...valuesOf(row));
  return values;
}

/** Ends the thread. Every other message is a `CommitRequest`. */
export const closeRequest = 'close';

/** Writes all requests in one transaction: all of them, or none and an exception. */
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
      writers[kind]?.remove(request.removed[kind]);
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

/**
 * In logs, rows are inserted, and later only the columns that can change are updated. Rows of other kinds are
 * replaced as a whole.
 */
function createKindWriter(
  database: SqliteDatabase,
  kind: TurnKind,
): Readonly<{ insert: Write; change: Write; remove: Write }> {
  if (isLog(kind))
    return {
      insert: createInserter(database, kind),
      change: createUpdater(database, kind),
      remove: () => {},
    };
  const change = createInserter(database, kind, 'INSERT OR REPLACE');
  const removal = database.prepare(`DELETE FROM ${kind} WHERE ${namesOf(keyColumnsOf(kind))} = ?`);
  const remove: Write = (keys = []) => {
    for (const key of keys) removal.run(key as SqliteValue);
  };
  return { insert: () => {}, change, remove };
}

/** Running a statement costs as much as three of its rows, so eight rows share one. */
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

/** Each commit with new kept responses deletes a few expired ones, so no separate cleanup is needed. */
function createAnswerKeeper(database: SqliteDatabase) {
  const oldest = 'SELECT key FROM answers WHERE kept_until < ? ORDER BY kept_until LIMIT ?';
  const forget = database.prepare(`DELETE FROM answers WHERE key IN (${oldest})`);
  const count = database.prepare('SELECT count(*) AS kept FROM answers');
  let kept: number | undefined;

  /**
   * Call it after the responses were written. One that replaced another is counted twice until the next full count.
   */
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
    /** After a rollback the count is wrong, so count again. */
    recount(): void {
      kept = undefined;
    },
  };
}

const forgottenAtOnceMax = 100;
