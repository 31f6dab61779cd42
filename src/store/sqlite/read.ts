import type { Kept } from '../batch.ts';
import type { Cell } from '../codec.ts';
import type { StoreHealth } from '../health.ts';
import {
  eventsWithMessages,
  type Question,
  questions,
  toCount,
  toKeptThrough,
  toListed,
  toSelect,
} from '../questions.ts';
import type { AgentRow, Counters, EventRow, HeldLaneRow, MessageRow } from '../rows.ts';
import type { ListedRow, ListName, Row, TurnKind } from '../schema.ts';
import type { AgentQuery, EventQuery, KeyOf, LaneQuery, Lists, MessageQuery } from '../store.ts';
import { keyColumnsOf } from '../tables.ts';
import { codecs, dialect } from './dialect.ts';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './driver.ts';
import { toReadError } from './errors.ts';
import { rollBack } from './transactions.ts';

type Columns = Readonly<Record<string, unknown>>;

/** All queries of the store, on a connection that never waits for the writer. */
export function createRowReader(database: SqliteDatabase, health: StoreHealth) {
  const { all, allUpTo, ask, get } = createAsking(database, health);

  function select<Row>(question: Question): Row[] {
    const { sql, values } = toSelect(question, dialect);
    const decode = codecs[question.of].fromColumns as (columns: Columns) => Row;
    return all(sql, values).map(decode);
  }

  function count(question: Question): number {
    const { sql, values } = toCount(question, dialect);
    return (get(sql, values) as { n: number }).n;
  }

  return {
    counters: (): Counters => codecs.counters.fromColumns(get('SELECT * FROM counters', []) ?? {}),

    find: <Name extends TurnKind>(kind: Name, key: KeyOf<Name>): Row<Name> | undefined => {
      const columns = get(`SELECT * FROM ${kind} WHERE ${keyColumnsOf(kind)[0]?.name} = ?`, [key as Cell]);
      return columns && (codecs[kind].fromColumns(columns) as Row<Name>);
    },

    messages: (query: MessageQuery): MessageRow[] => {
      const { sql, values } = toSelect(questions.messages(query), dialect);
      return allUpTo(query.bytesMax, 'body', sql, values).map(codecs.messages.fromColumns);
    },

    lists: (names: readonly ListName[]): Lists =>
      toListed((name) => (names.includes(name) ? select(questions.list(name)) : [])),

    oldestOf: <Name extends ListName>(name: Name) => select<ListedRow<Name>>(questions.oldestOf(name))[0],

    events: (query: EventQuery): EventRow[] => {
      const { sql, values } = toSelect(questions.events(query), dialect, eventsWithMessages);
      return allUpTo(query.bytesMax, 'message__body', sql, values).map(codecs.fromEventColumns);
    },

    agents: (query: AgentQuery): AgentRow[] => select(questions.agents(query)),
    lanes: (query: LaneQuery): HeldLaneRow[] => select(questions.lanes(query)),
    live: (now: number, limit: number): HeldLaneRow[] => select(questions.live(now, limit)),
    orphaned: (now: number, limit: number): HeldLaneRow[] => select(questions.orphaned(now, limit)),

    scoped: (): HeldLaneRow[] => select(questions.scoped),

    /** Held lanes are counted in an index. That costs a twentieth of checking when each lease ends. */
    countLanes: (now: number): { liveCount: number; orphanedCount: number } => {
      const orphanedCount = count(questions.orphaned(now, 0));
      return { liveCount: count(questions.held) - orphanedCount, orphanedCount };
    },

    keptThrough: (messageId: number): Kept =>
      ({ ...get(`${toKeptThrough(dialect)} FROM messages WHERE id <= ?`, [messageId]) }) as Kept,

    /** All reads in `read` see the same snapshot. */
    atOnce: <Seen>(read: () => Seen): Seen => {
      ask(() => database.exec('BEGIN'));
      try {
        return read();
      } finally {
        // There is nothing to commit, and if `read` failed, its own error says more.
        rollBack(database);
      }
    },
  };
}

export type RowReader = ReturnType<typeof createRowReader>;

/** Each SQL text is prepared once. */
function createAsking(database: SqliteDatabase, health: StoreHealth) {
  const statements = new Map<string, SqliteStatement>();
  const prepare = (sql: string): SqliteStatement => {
    const known = statements.get(sql);
    if (known) return known;
    const made = database.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  function ask<Found>(read: () => unknown): Found {
    try {
      const found = read();
      health.readWorked();
      return found as Found;
    } catch (error) {
      const failure = toReadError(error);
      health.readFailed(failure);
      throw failure;
    }
  }
  const all = (sql: string, values: readonly Cell[]) =>
    ask<Columns[]>(() => prepare(sql).all(...(values as SqliteValue[])));
  const get = (sql: string, values: readonly Cell[]) =>
    ask<Columns | undefined>(() => prepare(sql).get(...(values as SqliteValue[])));
  const allUpTo = (bytesMax: number | undefined, long: string, sql: string, values: readonly Cell[]) =>
    bytesMax === undefined
      ? all(sql, values)
      : ask<Columns[]>(() => takeUpTo(bytesMax, long, prepare(sql).iterate(...(values as SqliteValue[]))));
  return { all, allUpTo, ask, get };
}

/** Reads row by row and stops at the byte limit. The column `long` is what makes rows large. */
function takeUpTo(bytesMax: number, long: string, rows: Iterable<unknown>): Columns[] {
  const taken: Columns[] = [];
  let bytes = 0;
  for (const row of rows as Iterable<Columns>) {
    taken.push(row);
    bytes += Buffer.byteLength((row[long] as string | null) ?? '');
    if (bytes > bytesMax) break;
  }
  return taken;
}
