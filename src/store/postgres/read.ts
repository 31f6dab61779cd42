import { limits } from '../../contract/limits.ts';
import type { Kept } from '../batch.ts';
import {
  eventsWithMessages,
  type Question,
  questions,
  toCount,
  toKeptThrough,
  toListed,
  toSelect,
} from '../questions.ts';
import type { AgentRow, Counters, EventRow, HeldLaneRow, LaneRow, MessageRow, Waiter } from '../rows.ts';
import type { ListedRow, ListName, Row, TurnKind } from '../schema.ts';
import type { AgentQuery, EventQuery, KeyOf, LaneQuery, Lists, MessageQuery } from '../store.ts';
import { columnsIn, keyColumnsOf, namesOf } from '../tables.ts';
import { codecs, columnTypes, dialect, toMilliseconds } from './dialect.ts';
import type { Version } from './migrate.ts';
import { toBusLock } from './presence.ts';
import type { Session, SqlValue } from './session.ts';

/** The counters with the database's own time. */
export type Counted = Counters & Readonly<{ databaseNow: number }>;

type Columns = Readonly<Record<string, unknown>>;

// Select columns by name: a newer version may add columns, and a prepared `SELECT *` would break then.
const counterColumns = namesOf(columnsIn('counters'));
const waiterColumns = namesOf(columnsIn('waiters'));

/**
 * Whoever waits in a process that still shows signs of life. For its own waiters, this process knows. Nobody waits
 * longer than a call may last, so an abandoned place expires by itself.
 */
const isWaiting = `(waiters.bus = $1 OR buses.alive_until > clock_timestamp())
  AND arrived_at > clock_timestamp() - interval '${limits.waitSecondsMax + 10} seconds'`;

/**
 * A killed process loses its lock at once, although its last sign of life stays valid for some seconds. A process
 * whose connection just broke gets one second after its last sign to come back.
 */
const isAway = `CASE WHEN waiters.bus = $1 OR buses.alive_until > clock_timestamp() + interval '5 seconds' THEN false
  ELSE pg_try_advisory_xact_lock_shared(${toBusLock('waiters.bus')}) END AS is_away`;
const hasScopedWaits = 'EXISTS (SELECT FROM waiters AS scoped WHERE scoped.paths IS NOT NULL)';
const fromWaiters = 'FROM waiters LEFT JOIN buses ON buses.bus = waiters.bus';

/** All queries of the store. `bus` identifies this process among those that share the database. */
export function createRowReader(ask: Session['ask'], bus: string) {
  async function countersBy(sql: string): Promise<Counted> {
    const [columns] = await ask<Columns>(sql);
    if (!columns) throw new Error('the database has lost its counters: restore a backup');
    return { ...codecs.counters.fromColumns(columns), databaseNow: columns.now_ms as number };
  }

  async function select<Row>(question: Question): Promise<Row[]> {
    const { sql, values } = toSelect(question, dialect);
    const decode = codecs[question.of].fromColumns as (columns: Columns) => Row;
    return (await ask<Columns>(sql, ...values)).map(decode);
  }

  async function count(question: Question): Promise<number> {
    const { sql, values } = toCount(question, dialect);
    return (await ask<{ n: number }>(sql, ...values))[0]?.n ?? 0;
  }

  /**
   * Returns only as many rows as fit in the byte limit. The database knows the size of the column `long` without
   * reading it.
   */
  function askUpTo(
    { bytesMax, long, order }: Readonly<{ bytesMax: number | undefined; long: string; order: string }>,
    rows: string,
    values: readonly SqlValue[],
  ): Promise<Columns[]> {
    if (bytesMax === undefined) return ask<Columns>(rows, ...values);
    const bytes = `coalesce(octet_length(${long}), 0)`;
    const sql = `SELECT * FROM (
        SELECT *, sum(${bytes}) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - ${bytes} AS bytes_before
        FROM (${rows}) AS found
      ) AS page WHERE bytes_before <= $${values.length + 1} ORDER BY ${order}`;
    return ask<Columns>(sql, ...values, bytesMax);
  }

  return {
    /** Whether writes would be refused because the server is a standby or read-only. */
    isReadOnly: async (): Promise<boolean> => {
      const sql = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS is_read_only`;
      return (await ask<{ is_read_only: boolean }>(sql))[0]?.is_read_only ?? true;
    },

    /** The version of the schema now: a newer bus may have changed it since this one started. */
    version: async (): Promise<Version> => {
      const [version] = await ask<Version>('SELECT version, compatible_from FROM schema_version');
      if (!version) throw new Error('the database has lost its version: restore a backup');
      return version;
    },

    counters: () =>
      countersBy(`SELECT ${counterColumns}, ${toMilliseconds('now()')} AS now_ms FROM counters`),

    /**
     * Takes the order lock: waits until no other transaction assigns ids, and makes all others wait until this one
     * ends. Returns the row as the previous holder left it; the time is read after the wait.
     */
    lockedCounters: () =>
      countersBy(
        `WITH locked AS MATERIALIZED (SELECT ${counterColumns} FROM counters FOR UPDATE)
         SELECT *, ${toMilliseconds('clock_timestamp()')} AS now_ms FROM locked`,
      ),

    /** The rows with these keys, in any order. With `isLocked`, nobody else changes them until this ends. */
    found: async <Name extends TurnKind>(
      kind: Name,
      keys: readonly KeyOf<Name>[],
      { isLocked = false } = {},
    ): Promise<Row<Name>[]> => {
      const [key] = keyColumnsOf(kind);
      if (!key || keys.length === 0) return [];
      const sql = `SELECT ${namesOf(columnsIn(kind))} FROM ${kind}
         WHERE ${key.name} = ANY ($1::${columnTypes[key.column.type]}[])${isLocked ? ' FOR UPDATE' : ''}`;
      const decode = codecs[kind].fromColumns as (columns: Columns) => Row<Name>;
      return (await ask<Columns>(sql, keys as SqlValue)).map(decode);
    },

    messages: async (query: MessageQuery): Promise<MessageRow[]> => {
      const question = questions.messages(query);
      const { sql, values } = toSelect(question, dialect);
      const order = question.isDescending ? 'id DESC' : 'id';
      const found = await askUpTo({ bytesMax: query.bytesMax, long: 'body', order }, sql, values);
      return found.map(codecs.messages.fromColumns);
    },

    lists: async (names: readonly ListName[]): Promise<Lists> => {
      const asked = toListed((name) => (names.includes(name) ? select(questions.list(name)) : []));
      const found = await Promise.all(Object.entries(asked).map(async ([name, rows]) => [name, await rows]));
      return Object.fromEntries(found);
    },

    oldestOf: async <Name extends ListName>(name: Name) =>
      (await select<ListedRow<Name>>(questions.oldestOf(name)))[0],

    events: async (query: EventQuery): Promise<EventRow[]> => {
      const { sql, values } = toSelect(questions.events(query), dialect, eventsWithMessages);
      const bounds = { bytesMax: query.bytesMax, long: 'message__body', order: 'id' };
      return (await askUpTo(bounds, sql, values)).map(codecs.fromEventColumns);
    },

    agents: (query: AgentQuery): Promise<AgentRow[]> => select(questions.agents(query)),
    lanes: (query: LaneQuery): Promise<HeldLaneRow[]> => select(questions.lanes(query)),
    live: (now: number | null, limit: number): Promise<HeldLaneRow[]> => select(questions.live(now, limit)),
    orphaned: (now: number | null, limit: number): Promise<HeldLaneRow[]> =>
      select(questions.orphaned(now, limit)),

    scoped: (): Promise<HeldLaneRow[]> => select(questions.scoped),

    countLanes: async (now: number | null): Promise<{ liveCount: number; orphanedCount: number }> => {
      const [liveCount, orphanedCount] = await Promise.all([
        count(questions.live(now, 0)),
        count(questions.orphaned(now, 0)),
      ]);
      return { liveCount, orphanedCount };
    },

    /** What is left of the log up to each of these messages. */
    keptThrough: async (ids: readonly number[]): Promise<readonly (Kept & { through: number })[]> =>
      ids.length === 0
        ? []
        : ask(
            `${toKeptThrough(dialect)}, through.id AS through
             FROM unnest($1::bigint[]) AS through (id) LEFT JOIN messages ON messages.id <= through.id
             GROUP BY through.id`,
            ids,
          ),

    ...createWaiterReader(ask, bus),
  };
}

/** Who waits, in order of arrival. */
function createWaiterReader(ask: Session['ask'], bus: string) {
  return {
    /** Lanes with scopes, if they are asked for; and where somebody waits with scopes, the lanes that anybody waits for. */
    scopedAndAwaited: (isAsked: boolean) => askScopedAndAwaited(ask, isAsked),

    /** First come first: of these lanes, and with `isWholeLine` of all lanes, where somebody waits with scopes. */
    waitersFor: async (lanes: readonly string[], { isWholeLine = false } = {}): Promise<Waiter[]> => {
      if (lanes.length === 0) return [];
      const sql = `SELECT ${waiterColumns}, ${isAway} ${fromWaiters}
         WHERE (lane = ANY ($2::text[])${isWholeLine ? ` OR ${hasScopedWaits}` : ''}) AND ${isWaiting} ORDER BY arrival`;
      return (await ask<Columns>(sql, bus, lanes)).map(toWaiterRow);
    },

    waiters: async (limit: number): Promise<Waiter[]> => {
      const sql = `SELECT ${waiterColumns} ${fromWaiters} WHERE ${isWaiting} ORDER BY arrival LIMIT $2`;
      return (await ask<Columns>(sql, bus, limit)).map(codecs.waiters.fromColumns);
    },

    countWaiters: async (): Promise<number> => {
      const sql = `SELECT count(*) AS n ${fromWaiters} WHERE ${isWaiting}`;
      return (await ask<{ n: number }>(sql, bus))[0]?.n ?? 0;
    },
  };
}

function toWaiterRow(columns: Columns): Waiter {
  const waiter = codecs.waiters.fromColumns(columns);
  return columns.is_away === true ? { ...waiter, isAway: true } : waiter;
}

async function askScopedAndAwaited(ask: Session['ask'], isAsked: boolean): Promise<LaneRow[]> {
  const sql = `SELECT ${namesOf(columnsIn('lanes'))} FROM lanes
     WHERE (paths IS NOT NULL AND ($1 OR ${hasScopedWaits}))
     OR (${hasScopedWaits} AND lane IN (SELECT lane FROM waiters))`;
  return (await ask<Columns>(sql, isAsked)).map(codecs.lanes.fromColumns);
}

export type RowReader = ReturnType<typeof createRowReader>;
