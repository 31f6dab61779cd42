import { limits } from '../../contract/limits.ts';
import type { Kept } from '../batch.ts';
import type { AnswerRow, Counters, EventRow, HeldLaneRow, LaneRow, MessageRow, Waiter } from '../rows.ts';
import type { EventQuery, LaneQuery, MessageQuery } from '../store.ts';
import {
  type AnswerColumns,
  type CounterColumns,
  type EventColumns,
  fromAnswerColumns,
  fromCounterColumns,
  fromEventColumns,
  fromHeldLaneColumns,
  fromLaneColumns,
  fromMessageColumns,
  fromWaiterColumns,
  type LaneColumns,
  type MessageColumns,
  type WaiterColumns,
} from './encode.ts';
import type { Version } from './migrate.ts';
import { toBusLock } from './presence.ts';
import type { Session, SqlValue } from './session.ts';

/** The counters with the database's own time, and the latest time that anything was decided at. */
export type Counted = Counters &
  Readonly<{ databaseNow: number; clockMilliseconds: number; fenceFloor: number }>;
export type QueuedWaiter = Readonly<{ lane: string; waiter: Waiter }>;

// Columns by name: a newer version may add some, and a prepared `SELECT *` would break on them.
const messageColumns =
  'messages.id, topic, sender, body, action_flag, messages.ts, acknowledged_by, acknowledged_at';
const laneColumns = 'lane, fence, owner, claimed_at, heartbeat_at, expires_at, lease_s';
const counterColumns =
  'last_message_id, last_event_id, message_count, pending_flag_count, fence_floor, clock_ms, pruned_message_id, pruned_event_id';
const toMilliseconds = (time: string) => `floor(extract(epoch FROM ${time}) * 1000)::bigint`;
/** The time of a look at the rows: the one given, or else the database's when the transaction began, and none before. */
const timeOfLook = `(SELECT greatest(clock_ms, coalesce($1::bigint, ${toMilliseconds('now()')})) FROM counters)`;
const waiterColumns = 'ticket, lane, owner, since, lease_s, repeat_key, repeat_fingerprint';

/**
 * Whoever waits in a process that still shows signs of life; this process knows its own. Nobody waits longer than a
 * call may, so a place that was never given up ends by itself.
 */
const isWaiting = `(waiters.bus = $1 OR buses.alive_until > clock_timestamp())
  AND arrived_at > clock_timestamp() - interval '${limits.waitSecondsMax + 10} seconds'`;

/**
 * A process that was killed loses its lock at once, and shows signs of life for some seconds more. One whose connection just broke
 * gets a second to come back, counted from its last sign.
 */
const isAway = `CASE WHEN waiters.bus = $1 OR buses.alive_until > clock_timestamp() + interval '5 seconds' THEN false
  ELSE pg_try_advisory_xact_lock_shared(${toBusLock('waiters.bus')}) END AS is_away`;
const fromWaiters = 'FROM waiters LEFT JOIN buses ON buses.bus = waiters.bus';

/** Every question the store is asked. `bus` names this process among those that share the database. */
export function createRowReader(ask: Session['ask'], bus: string) {
  async function count(sql: string): Promise<Counted> {
    const [columns] = await ask<CounterColumns>(sql);
    if (!columns) throw new Error('the database has lost its counters: restore a backup');
    return {
      ...fromCounterColumns(columns),
      databaseNow: columns.now_ms,
      clockMilliseconds: columns.clock_ms,
      fenceFloor: columns.fence_floor,
    };
  }

  /** How long a body is the database knows without reading it. */
  function askUpTo<Columns>(
    bytesMax: number | undefined,
    order: string,
    rows: string,
    ...values: SqlValue[]
  ): Promise<Columns[]> {
    if (bytesMax === undefined) return ask<Columns>(rows, ...values);
    const bytes = 'coalesce(octet_length(body), 0)';
    const sql = `SELECT * FROM (
        SELECT *, sum(${bytes}) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - ${bytes} AS bytes_before
        FROM (${rows}) AS found
      ) AS page WHERE bytes_before <= $${values.length + 1} ORDER BY ${order}`;
    return ask<Columns>(sql, ...values, bytesMax);
  }

  return {
    /** Whether writes would be refused: a standby, or a server set to it. */
    isReadOnly: async (): Promise<boolean> => {
      const sql = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS is_read_only`;
      return (await ask<{ is_read_only: boolean }>(sql))[0]?.is_read_only ?? true;
    },

    /** Of the schema as it is now: a newer bus may have changed it since this one came. */
    version: async (): Promise<Version> => {
      const [version] = await ask<Version>('SELECT version, compatible_from FROM schema_version');
      if (!version) throw new Error('the database has lost its version: restore a backup');
      return version;
    },

    counters: () => count(`SELECT ${counterColumns}, ${toMilliseconds('now()')} AS now_ms FROM counters`),

    /**
     * Waits until no other transaction gives ids, and keeps all others waiting until this one is over. The row is the
     * one that the holder before left, and the time is taken after the wait.
     */
    lockedCounters: () =>
      count(
        `WITH locked AS MATERIALIZED (SELECT ${counterColumns} FROM counters FOR UPDATE)
         SELECT *, ${toMilliseconds('clock_timestamp()')} AS now_ms FROM locked`,
      ),

    messagesWith: async (ids: readonly number[]): Promise<MessageRow[]> => {
      const sql = `SELECT ${messageColumns} FROM messages WHERE id = ANY ($1::bigint[])`;
      return (await ask<MessageColumns>(sql, ids)).map(fromMessageColumns);
    },

    messages: async ({ topic, sinceId, beforeId, limit, bytesMax }: MessageQuery): Promise<MessageRow[]> => {
      const ascending = sinceId !== undefined;
      const bound = ascending ? sinceId : (beforeId ?? Number.MAX_SAFE_INTEGER);
      const order = ascending ? 'id' : 'id DESC';
      const sql = `SELECT ${messageColumns} FROM messages WHERE ${topic === undefined ? '' : 'topic = $3 AND '}id ${
        ascending ? '>' : '<'
      } $1 ORDER BY ${order} LIMIT $2`;
      const values = topic === undefined ? [bound, limit] : [bound, limit, topic];
      return (await askUpTo<MessageColumns>(bytesMax, order, sql, ...values)).map(fromMessageColumns);
    },

    flagged: async (limit: number): Promise<MessageRow[]> => {
      const sql = `SELECT ${messageColumns} FROM messages
         WHERE action_flag AND acknowledged_at IS NULL ORDER BY id DESC LIMIT $1`;
      return (await ask<MessageColumns>(sql, limit)).map(fromMessageColumns);
    },

    events: async ({ sinceId, limit, bytesMax }: EventQuery): Promise<EventRow[]> => {
      const sql = `SELECT events.id AS event_id, kind, events.ts AS event_ts, lane, detail, ${messageColumns}
         FROM events LEFT JOIN messages ON messages.id = events.message_id
         WHERE events.id > $1 ORDER BY events.id LIMIT $2`;
      const columns = await askUpTo<EventColumns>(bytesMax, 'event_id', sql, sinceId, limit);
      return columns.map(fromEventColumns);
    },

    lanesNamed: async (lanes: readonly string[], lock = ''): Promise<LaneRow[]> => {
      const sql = `SELECT ${laneColumns} FROM lanes WHERE lane = ANY ($1::text[]) ${lock}`;
      return (await ask<LaneColumns>(sql, lanes)).map(fromLaneColumns);
    },

    lanes: async ({ owner, after = '', limit }: LaneQuery): Promise<HeldLaneRow[]> => {
      const whose = owner === undefined ? 'owner IS NOT NULL' : 'owner = $3';
      const sql = `SELECT ${laneColumns} FROM lanes WHERE ${whose} AND lane > $1 ORDER BY lane LIMIT $2`;
      const values = owner === undefined ? [after, limit] : [after, limit, owner];
      return (await ask<LaneColumns>(sql, ...values)).map(fromHeldLaneColumns);
    },

    /** The ones that end soonest come first: they are what a person may have to act on. */
    live: async (now: number | null, limit: number): Promise<HeldLaneRow[]> => {
      const sql = `SELECT ${laneColumns} FROM lanes
         WHERE owner IS NOT NULL AND expires_at > ${timeOfLook} ORDER BY expires_at LIMIT $2`;
      return (await ask<LaneColumns>(sql, now, limit)).map(fromHeldLaneColumns);
    },

    /** The ones that ended last come first. */
    orphaned: async (now: number | null, limit: number): Promise<HeldLaneRow[]> => {
      const sql = `SELECT ${laneColumns} FROM lanes
         WHERE owner IS NOT NULL AND expires_at <= ${timeOfLook} ORDER BY expires_at DESC LIMIT $2`;
      return (await ask<LaneColumns>(sql, now, limit)).map(fromHeldLaneColumns);
    },

    countLanes: async (now: number | null): Promise<{ liveCount: number; orphanedCount: number }> => {
      const countOf = async (comparison: string) => {
        const sql = `SELECT count(*) AS n FROM lanes WHERE owner IS NOT NULL AND expires_at ${comparison} ${timeOfLook}`;
        return (await ask<{ n: number }>(sql, now))[0]?.n ?? 0;
      };
      const [liveCount, orphanedCount] = await Promise.all([countOf('>'), countOf('<=')]);
      return { liveCount, orphanedCount };
    },

    /** What there is up to each of these messages. */
    keptThrough: async (ids: readonly number[]): Promise<readonly (Kept & { id: number })[]> =>
      ask(
        `SELECT through.id, count(messages.id) AS "messageCount",
           count(messages.id) FILTER (WHERE action_flag AND acknowledged_at IS NULL) AS "pendingFlagCount"
         FROM unnest($1::bigint[]) AS through (id) LEFT JOIN messages ON messages.id <= through.id
         GROUP BY through.id`,
        ids,
      ),

    answersFor: async (keys: readonly string[]): Promise<AnswerRow[]> => {
      const sql = 'SELECT key, fingerprint, answer, kept_until FROM answers WHERE key = ANY ($1::text[])';
      return (await ask<AnswerColumns>(sql, keys)).map(fromAnswerColumns);
    },

    /** First come first. */
    waitersFor: async (lanes: readonly string[]): Promise<QueuedWaiter[]> => {
      const sql = `SELECT ${waiterColumns}, ${isAway} ${fromWaiters}
         WHERE lane = ANY ($2::text[]) AND ${isWaiting} ORDER BY arrival`;
      const found = await ask<WaiterColumns & { is_away: boolean }>(sql, bus, lanes);
      return found.map((columns) => {
        const { lane, waiter } = toQueuedWaiter(columns);
        return { lane, waiter: columns.is_away ? { ...waiter, isAway: true } : waiter };
      });
    },

    waiters: async (limit: number): Promise<QueuedWaiter[]> => {
      const sql = `SELECT ${waiterColumns} ${fromWaiters} WHERE ${isWaiting} ORDER BY arrival LIMIT $2`;
      return (await ask<WaiterColumns>(sql, bus, limit)).map(toQueuedWaiter);
    },

    countWaiters: async (): Promise<number> => {
      const sql = `SELECT count(*) AS n ${fromWaiters} WHERE ${isWaiting}`;
      return (await ask<{ n: number }>(sql, bus))[0]?.n ?? 0;
    },
  };
}

export type RowReader = ReturnType<typeof createRowReader>;

function toQueuedWaiter(columns: WaiterColumns): QueuedWaiter {
  return { lane: columns.lane, waiter: fromWaiterColumns(columns) };
}
