import type { Cell, FlatColumn } from '../codec.ts';
import { createCodecs } from '../codecs.ts';
import type { Dialect } from '../questions.ts';
import type { SqlValue } from './session.ts';

export const toMilliseconds = (time: string) => `floor(extract(epoch FROM ${time}) * 1000)::bigint`;

/** How PostgreSQL says what stores say differently. */
export const dialect: Dialect = {
  placeholder: (number) => `$${number}`,
  isSet: (column) => column,
  // The time given, or else the database's when the transaction began, and none before what it remembers.
  timeOfLook: (placeholder) =>
    `(SELECT greatest(clock_ms, coalesce(${placeholder}::bigint, ${toMilliseconds('now()')})) FROM counters)`,
};

export const codecs = createCodecs({ trueAs: true, falseAs: false });

/** What a column of each type is. Names are compared byte by byte, whatever the language of the database. */
export const columnTypes = {
  integer: 'bigint',
  time: 'bigint',
  text: 'text',
  name: 'text',
  flag: 'boolean',
  json: 'text',
} as const;

/** The rows of one array for each column, from the placeholder with this number on. */
export function toUnnest(columns: readonly FlatColumn[], first = 1): string {
  const arrays = columns.map(({ column }, index) => `$${first + index}::${columnTypes[column.type]}[]`);
  return `unnest(${arrays.join(', ')})`;
}

/** Rows as one array for each column: a statement takes a whole batch of them at once. */
export function toArrays(rows: readonly (readonly Cell[])[]): SqlValue[] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? null));
}
