import type { Cell, FlatColumn } from '../codec.ts';
import { createCodecs } from '../codecs.ts';
import type { Dialect } from '../questions.ts';
import type { SqlValue } from './session.ts';

export const toMilliseconds = (time: string) => `floor(extract(epoch FROM ${time}) * 1000)::bigint`;

/** PostgreSQL's side of the things that the two stores express differently. */
export const dialect: Dialect = {
  placeholder: (number) => `$${number}`,
  isSet: (column) => column,
  // The time passed in; otherwise the time at which the transaction began, but never before the time stored in the
  // counters.
  readTime: (placeholder) =>
    `(SELECT greatest(clock_ms, coalesce(${placeholder}::bigint, ${toMilliseconds('now()')})) FROM counters)`,
};

export const codecs = createCodecs({ trueAs: true, falseAs: false });

/** The SQL type of each column type. Names compare byte by byte, whatever the database's language. */
export const columnTypes = {
  integer: 'bigint',
  time: 'bigint',
  text: 'text',
  name: 'text',
  flag: 'boolean',
  json: 'text',
} as const;

/** SQL that unpacks one array per column into rows. The first placeholder has the number `first`. */
export function toUnnest(columns: readonly FlatColumn[], first = 1): string {
  const arrays = columns.map(({ column }, index) => `$${first + index}::${columnTypes[column.type]}[]`);
  return `unnest(${arrays.join(', ')})`;
}

/** Turns rows into one array per column, so that one statement writes a whole batch. */
export function toArrays(rows: readonly (readonly Cell[])[]): SqlValue[] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? null));
}
