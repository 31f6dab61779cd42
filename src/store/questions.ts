import { limits } from '../contract/limits.ts';
import type { Cell } from './codec.ts';
import { type KindName, type List, type ListName, listNames, lists, schema, type Where } from './schema.ts';
import type { AgentQuery, EventQuery, LaneQuery, MessageQuery } from './store.ts';
import { columnOf, columnsIn, namesOf, toWhere } from './tables.ts';

/**
 * The queries of a store, and how to write them in SQL. The stores differ in a few expressions, which their dialects
 * provide.
 */

/** Rows of one kind in a given order, up to a limit. */
export type Question = Readonly<{
  of: KindName;
  where?: Where;
  bounds?: readonly Bound[];
  orderBy: string;
  isDescending?: boolean;
  limit: number;
}>;

/** Compares a field with a value, or with the time of the query. */
type Bound = readonly [field: string, comparison: '=' | '<' | '>' | '<=', value: Cell | ReadTime];
/** The time that was passed in, or null for the database's own time. */
type ReadTime = Readonly<{ readAt: number | null }>;

/** The expressions in which the stores differ. */
export type Dialect = Readonly<{
  placeholder: (number: number) => string;
  /** The condition for a flag that is set. */
  isSet: (column: string) => string;
  readTime: (placeholder: string) => string;
}>;

export type Statement = Readonly<{ sql: string; values: readonly Cell[] }>;

export const questions = {
  messages({ topic, sender, sinceId, beforeId, limit }: MessageQuery): Question {
    const isAscending = sinceId !== undefined;
    const bound = isAscending ? sinceId : (beforeId ?? Number.MAX_SAFE_INTEGER);
    const bounds: Bound[] = topic === undefined ? [] : [['topic', '=', topic]];
    if (sender !== undefined) bounds.push(['sender', '=', sender]);
    bounds.push(['id', isAscending ? '>' : '<', bound]);
    return { of: 'messages', bounds, orderBy: 'id', isDescending: !isAscending, limit };
  },

  events: ({ sinceId, limit }: EventQuery): Question => ({
    of: 'events',
    bounds: [['id', '>', sinceId]],
    orderBy: 'id',
    limit,
  }),

  lanes({ owner, under, after = '', limit }: LaneQuery): Question {
    const owners: Bound[] = [
      ...(owner === undefined ? [] : [['owner', '=', owner] as const]),
      ...(under === undefined ? [] : toBoundsUnder('owner', under)),
    ];
    const whose: Pick<Question, 'where' | 'bounds'> =
      owners.length === 0 ? { where: { owner: 'present' } } : { bounds: owners };
    return {
      of: 'lanes',
      ...whose,
      bounds: [...(whose.bounds ?? []), ['lane', '>', after]],
      orderBy: 'lane',
      limit,
    };
  },

  /** By id, or by when they were last heard. */
  agents: ({ under, after = '', order = 'id', seenBefore, limit }: AgentQuery): Question => ({
    of: 'agents',
    bounds: [
      ...(under === undefined ? [] : toBoundsUnder('agent', under)),
      ['agent', '>', after],
      ...(seenBefore === undefined ? [] : [['seenAt', '<', seenBefore] as const]),
    ],
    orderBy: order === 'id' ? 'agent' : 'seenAt',
    isDescending: order === 'newest',
    limit,
  }),

  /** Leases that end soonest come first: somebody may have to act on them. */
  live: (readAt: number | null, limit: number): Question => ({
    of: 'lanes',
    where: { owner: 'present' },
    bounds: [['expiresAt', '>', { readAt }]],
    orderBy: 'expiresAt',
    limit,
  }),

  /** Leases that ended most recently come first. */
  orphaned: (readAt: number | null, limit: number): Question => ({
    of: 'lanes',
    where: { owner: 'present' },
    bounds: [['expiresAt', '<=', { readAt }]],
    orderBy: 'expiresAt',
    isDescending: true,
    limit,
  }),

  /** Lanes whose hold, live or not, has scopes. */
  scoped: {
    of: 'lanes',
    where: { paths: 'present' },
    orderBy: 'lane',
    limit: limits.lanesHeldMax,
  } as Question,

  /** All lanes that somebody holds or abandoned. */
  held: { of: 'lanes', where: { owner: 'present' }, orderBy: 'lane', limit: 0 } as Question,

  list(name: ListName): Question {
    const { of, where, newestBy, rowsMax }: List = lists[name];
    return { of, where, orderBy: newestBy ?? schema[of].key[0], isDescending: true, limit: rowsMax };
  },

  oldestOf: (name: ListName): Question => ({ ...questions.list(name), isDescending: false, limit: 1 }),
} as const;

/** The query as a SELECT that names its columns, because a newer version may have added some. */
export function toSelect(
  question: Question,
  dialect: Dialect,
  { columns = namesOf(columnsIn(question.of), `${question.of}.`), from = question.of as string } = {},
): Statement {
  const { of, orderBy, isDescending = false, limit } = question;
  const { where, values } = toConditions(question, dialect);
  const order = `${of}.${columnOf(of, orderBy).name}${isDescending ? ' DESC' : ''}`;
  const place = dialect.placeholder(values.length + 1);
  return {
    sql: `SELECT ${columns} FROM ${from}${where} ORDER BY ${order} LIMIT ${place}`,
    values: [...values, limit],
  };
}

/** The number of rows without the limit. */
export function toCount(question: Question, dialect: Dialect): Statement {
  const { where, values } = toConditions(question, dialect);
  return { sql: `SELECT count(*) AS n FROM ${question.of}${where}`, values };
}

/** Counts of a log, as columns named like the counters. */
export function toKeptThrough({ isSet }: Pick<Dialect, 'isSet'>): string {
  const counts = listNames.flatMap((name) => {
    const list = lists[name];
    if (!('counter' in list)) return [];
    const where = toWhere(list.of, list.where, isSet, `${list.of}.`);
    return [`count(messages.id) FILTER (WHERE ${where}) AS "${list.counter}"`];
  });
  return `SELECT count(messages.id) AS "${schema.messages.log.count}", ${counts.join(', ')}`;
}

/** Builds an object with one entry per list. */
export function toListed<Listed>(read: (name: ListName) => Listed): Record<ListName, never> {
  return Object.fromEntries(listNames.map((name) => [name, read(name)])) as never;
}

/** The columns of events, and those of their messages that never change, for one SELECT over both. */
export const eventsWithMessages = {
  columns: [
    namesOf(columnsIn('events'), 'events.'),
    ...columnsIn('messages')
      .filter(({ column }) => !column.isLater)
      .map(({ name }) => `messages.${name} AS message__${name}`),
  ].join(', '),
  from: 'events LEFT JOIN messages ON messages.id = events.message_id',
} as const;

/** All ids that begin with the agent's and a slash; `0` is the sign after it. */
function toBoundsUnder(field: string, agent: string): Bound[] {
  return [
    [field, '>', `${agent}/`],
    [field, '<', `${agent}0`],
  ];
}

function toConditions(
  { of, where = {}, bounds = [] }: Question,
  { placeholder, isSet, readTime }: Dialect,
): Readonly<{ where: string; values: readonly Cell[] }> {
  const values: Cell[] = [];
  const conditions = Object.keys(where).length === 0 ? [] : [toWhere(of, where, isSet, `${of}.`)];
  for (const [field, comparison, value] of bounds) {
    const place = placeholder(values.length + 1);
    const isLook = typeof value === 'object' && value !== null;
    conditions.push(`${of}.${columnOf(of, field).name} ${comparison} ${isLook ? readTime(place) : place}`);
    values.push(isLook ? value.readAt : value);
  }
  return { where: conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`, values };
}
