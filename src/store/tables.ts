import { columnsOf, type FlatColumn, valueAt } from './codec.ts';
import { type KindName, schema, type Where } from './schema.ts';

/** The schema as tables: the columns of each kind, and SQL for conditions on its fields. */

const columnsByKind = Object.fromEntries(
  Object.entries(schema).map(([name, { fields }]) => [name, columnsOf(fields)]),
) as Readonly<Record<KindName, readonly FlatColumn[]>>;

export function columnsIn(kind: KindName): readonly FlatColumn[] {
  return columnsByKind[kind];
}

/** A comma-separated list of column names for SQL. */
export function namesOf(columns: readonly FlatColumn[], prefix = ''): string {
  return columns.map(({ name }) => `${prefix}${name}`).join(', ');
}

/** The column of a field, or of a field within a group. */
export function columnOf(kind: KindName, field: string): FlatColumn {
  const found = columnsIn(kind).find(({ path }) => path.at(-1) === field);
  if (!found) throw new Error(`there is no field ${field} in ${kind}`);
  return found;
}

export function keyColumnsOf(kind: KindName): readonly FlatColumn[] {
  return schema[kind].key.map((field) => columnOf(kind, field));
}

/** A condition as SQL. `isSet` is the store's test for a flag. */
export function toWhere(
  kind: KindName,
  where: Where,
  isSet: (column: string) => string,
  prefix = '',
): string {
  return Object.entries(where)
    .map(([field, wanted]) => {
      const column = `${prefix}${columnOf(kind, field).name}`;
      if (wanted === true) return isSet(column);
      return `${column} IS ${wanted === 'present' ? 'NOT ' : ''}NULL`;
    })
    .join(' AND ');
}

/** The same condition, as a function over rows in memory. */
export function toMatch(kind: KindName, where: Where): (row: object) => boolean {
  const conditions = Object.entries(where).map(
    ([field, wanted]) => [columnOf(kind, field).path, wanted] as const,
  );
  return (row) =>
    conditions.every(([path, wanted]) => {
      const value = valueAt(row, path);
      return wanted === true ? value === true : (value !== undefined) === (wanted === 'present');
    });
}

export function isLog(kind: KindName): boolean {
  return 'log' in schema[kind];
}

/** The columns written for a new row. A new log row has no later fields yet. */
export function insertedColumnsOf(kind: KindName): readonly FlatColumn[] {
  return isLog(kind) ? columnsIn(kind).filter(({ column }) => !column.isLater) : columnsIn(kind);
}

/** The columns written for a changed row. For a log: the later fields, then the key. For other kinds: all columns. */
export function changedColumnsOf(kind: KindName): readonly FlatColumn[] {
  if (!isLog(kind)) return columnsIn(kind);
  return [...columnsIn(kind).filter(({ column }) => column.isLater), ...keyColumnsOf(kind)];
}

/** A value below every key. */
export function lowestKeyOf(kind: KindName): number | '' {
  return keyColumnsOf(kind)[0]?.column.type === 'integer' ? 0 : '';
}
