import type { Kept } from '../batch.ts';
import type { AnswerRow, Counters, EventRow, HeldLaneRow, LaneRow, MessageRow } from '../rows.ts';
import type { EventQuery, LaneQuery, MessageQuery } from '../store.ts';
import type { StoreWatch } from '../watch.ts';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './driver.ts';
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
  type LaneColumns,
  type MessageColumns,
} from './encode.ts';
import { toReadError } from './errors.ts';
import { rollBack } from './write.ts';

/** Every question the store is asked, through a connection that never waits for the writer. */
export function createRowReader(database: SqliteDatabase, watch: StoreWatch) {
  const { all, allUpTo, ask, get } = createAsking(database, watch);

  return {
    counters: (): Counters & { clockMilliseconds: number; fenceFloor: number } => {
      const columns = get<CounterColumns>('SELECT * FROM counters') as CounterColumns;
      return {
        ...fromCounterColumns(columns),
        clockMilliseconds: columns.clock_ms,
        fenceFloor: columns.fence_floor,
      };
    },

    message: (id: number): MessageRow | undefined => {
      const columns = get<MessageColumns>('SELECT * FROM messages WHERE id = ?', id);
      return columns && fromMessageColumns(columns);
    },

    messages: ({ topic, sinceId, beforeId, limit, bytesMax }: MessageQuery): MessageRow[] => {
      const ascending = sinceId !== undefined;
      const bound = ascending ? sinceId : (beforeId ?? Number.MAX_SAFE_INTEGER);
      const sql = `SELECT * FROM messages WHERE ${topic === undefined ? '' : 'topic = ? AND '}id ${
        ascending ? '> ? ORDER BY id' : '< ? ORDER BY id DESC'
      } LIMIT ?`;
      const values = topic === undefined ? [bound, limit] : [topic, bound, limit];
      return allUpTo<MessageColumns>(bytesMax, sql, ...values).map(fromMessageColumns);
    },

    flagged: (limit: number): MessageRow[] =>
      all<MessageColumns>(
        'SELECT * FROM messages WHERE action_flag = 1 AND acknowledged_at IS NULL ORDER BY id DESC LIMIT ?',
        limit,
      ).map(fromMessageColumns),

    events: ({ sinceId, limit, bytesMax }: EventQuery): EventRow[] =>
      allUpTo<EventColumns>(
        bytesMax,
        `SELECT events.id AS event_id, kind, events.ts AS event_ts, lane, detail, messages.*
         FROM events LEFT JOIN messages ON messages.id = events.message_id
         WHERE events.id > ? ORDER BY events.id LIMIT ?`,
        sinceId,
        limit,
      ).map(fromEventColumns),

    lane: (lane: string): LaneRow | undefined => {
      const columns = get<LaneColumns>('SELECT * FROM lanes WHERE lane = ?', lane);
      return columns && fromLaneColumns(columns);
    },

    lanes: ({ owner, after = '', limit }: LaneQuery): HeldLaneRow[] => {
      const whose = owner === undefined ? 'owner IS NOT NULL' : 'owner = ?';
      const sql = `SELECT * FROM lanes WHERE ${whose} AND lane > ? ORDER BY lane LIMIT ?`;
      const values = owner === undefined ? [after, limit] : [owner, after, limit];
      return all<LaneColumns>(sql, ...values).map(fromHeldLaneColumns);
    },

    /** The ones that end soonest come first: they are what a person may have to act on. */
    live: (now: number, limit: number): HeldLaneRow[] =>
      all<LaneColumns>(
        'SELECT * FROM lanes WHERE owner IS NOT NULL AND expires_at > ? ORDER BY expires_at LIMIT ?',
        now,
        limit,
      ).map(fromHeldLaneColumns),

    /** The ones that ended last come first. */
    orphaned: (now: number, limit: number): HeldLaneRow[] =>
      all<LaneColumns>(
        'SELECT * FROM lanes WHERE owner IS NOT NULL AND expires_at <= ? ORDER BY expires_at DESC LIMIT ?',
        now,
        limit,
      ).map(fromHeldLaneColumns),

    /** Those that are held are counted in an index, which costs a twentieth of looking at when each of them ends. */
    countLanes: (now: number): { liveCount: number; orphanedCount: number } => {
      const count = (condition: string, ...values: SqliteValue[]) => {
        const sql = `SELECT count(*) AS n FROM lanes WHERE owner IS NOT NULL${condition}`;
        return (get<{ n: number }>(sql, ...values) as { n: number }).n;
      };
      const orphanedCount = count(' AND expires_at <= ?', now);
      return { liveCount: count('') - orphanedCount, orphanedCount };
    },

    keptThrough: (messageId: number): Kept =>
      get<Kept>(
        `SELECT count(*) AS messageCount,
           count(*) FILTER (WHERE action_flag = 1 AND acknowledged_at IS NULL) AS pendingFlagCount
         FROM messages WHERE id <= ?`,
        messageId,
      ) as Kept,

    answer: (key: string): AnswerRow | undefined => {
      const columns = get<AnswerColumns>('SELECT * FROM answers WHERE key = ?', key);
      return columns && fromAnswerColumns(columns);
    },

    /** All reads in `look` see the same moment. */
    atOnce: <Seen>(look: () => Seen): Seen => {
      ask(() => database.exec('BEGIN'));
      try {
        return look();
      } finally {
        // There is nothing to commit, and what failed meanwhile is told better by itself.
        rollBack(database);
      }
    },
  };
}

export type RowReader = ReturnType<typeof createRowReader>;

/** Statements are prepared once for each text. */
function createAsking(database: SqliteDatabase, watch: StoreWatch) {
  const statements = new Map<string, SqliteStatement>();
  const prepare = (sql: string): SqliteStatement => {
    const known = statements.get(sql);
    if (known) return known;
    const made = database.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  function ask(deed: () => unknown): unknown {
    try {
      const found = deed();
      watch.readWorked();
      return found;
    } catch (error) {
      const failure = toReadError(error);
      watch.readFailed(failure);
      throw failure;
    }
  }
  const all = <Columns>(sql: string, ...values: SqliteValue[]) =>
    ask(() => prepare(sql).all(...values)) as Columns[];
  const get = <Columns>(sql: string, ...values: SqliteValue[]) =>
    ask(() => prepare(sql).get(...values)) as Columns | undefined;
  const allUpTo = <Columns>(bytesMax: number | undefined, sql: string, ...values: SqliteValue[]) =>
    bytesMax === undefined
      ? all<Columns>(sql, ...values)
      : (ask(() => takeUpTo(bytesMax, prepare(sql).iterate(...values))) as Columns[]);
  return { all, allUpTo, ask, get };
}

/** Row by row, and not one more than is wanted: bodies are what makes rows large. */
function takeUpTo(bytesMax: number, rows: Iterable<unknown>): unknown[] {
  const taken: unknown[] = [];
  let bytes = 0;
  for (const row of rows) {
    taken.push(row);
    bytes += Buffer.byteLength((row as { body: string | null }).body ?? '');
    if (bytes > bytesMax) break;
  }
  return taken;
}
