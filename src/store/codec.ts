import type { Column, Group, RowOf, Shape } from './columns.ts';

/** A value that a table can hold. */
export type Cell = string | number | boolean | null;

/** A column, with the path to its value in a row. */
export type FlatColumn = Readonly<{
  /** Its name in the table. */
  name: string;
  column: Column;
  /** The field of the row, and within a group also the inner field. */
  path: readonly [field: string] | readonly [field: string, inner: string];
  /** Whether the column accepts NULL. */
  isNullable: boolean;
}>;

/** Derives the columns of a table from the fields of a row. */
export function columnsOf(shape: Shape): readonly FlatColumn[] {
  return Object.entries(shape).flatMap(([field, declared]): readonly FlatColumn[] => {
    if (!isGroup(declared)) return [toFlat([field], declared, declared.isOptional)];
    if (declared.document !== undefined) {
      const column: Column = { type: 'json', isOptional: declared.isOptional };
      return [{ name: declared.document, column, path: [field], isNullable: declared.isOptional }];
    }
    return Object.entries(declared.fields).map(([inner, column]) =>
      toFlat([field, inner], column as Column, declared.isOptional || column.isOptional),
    );
  });
}

function toFlat(path: FlatColumn['path'], column: Column, isNullable: boolean): FlatColumn {
  return { name: columnNameOf(path.at(-1) ?? '', column), column, path, isNullable };
}

export function isGroup(field: Shape[string]): field is Group {
  return 'fields' in field;
}

/**
 * The name in tables and on the wire: `acknowledgedBy` becomes `acknowledged_by`, unless the schema gives another
 * name.
 */
export function columnNameOf(field: string, column: Pick<Column, 'name'>): string {
  return column.name ?? field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Converts rows to values in column order, and back. A store without booleans says what it writes instead. */
export type Codec<Row> = Readonly<{
  columns: readonly FlatColumn[];
  toValues: (row: Row) => Cell[];
  fromColumns: (columns: Readonly<Record<string, unknown>>) => Row;
}>;

export function createCodec<Fields extends Shape>(
  shape: Fields,
  {
    trueAs = true,
    falseAs = false,
    prefix = '',
    columns = columnsOf(shape),
  }: Readonly<{
    trueAs?: Cell;
    falseAs?: Cell;
    /** A prefix of the column names in what is decoded. */
    prefix?: string;
    columns?: readonly FlatColumn[];
  }> = {},
): Codec<RowOf<Fields>> {
  const toCell = (type: Column['type'], value: unknown): Cell => {
    if (value === undefined) return null;
    if (type === 'flag') return value ? trueAs : falseAs;
    return type === 'json' ? toJson(value) : (value as Cell);
  };
  const fromCell = (type: Column['type'], cell: unknown): unknown => {
    if (type === 'flag') return cell === trueAs;
    return type === 'json' ? JSON.parse(cell as string) : cell;
  };

  function toValues(row: RowOf<Fields>): Cell[] {
    const values: Cell[] = [];
    for (const { column, path } of columns) values.push(toCell(column.type, valueAt(row, path)));
    return values;
  }

  function fromColumns(cells: Readonly<Record<string, unknown>>): RowOf<Fields> {
    const row: Record<string, unknown> = {};
    for (const { name, column, path } of columns) {
      const cell = cells[prefix === '' ? name : `${prefix}${name}`];
      if (cell !== null && cell !== undefined) put(row, path, fromCell(column.type, cell));
    }
    return row as RowOf<Fields>;
  }

  return { columns, toValues, fromColumns };
}

function put(row: Record<string, unknown>, [field, inner]: FlatColumn['path'], value: unknown): void {
  if (inner === undefined) {
    row[field] = value;
    return;
  }
  const group = (row[field] as Record<string, unknown> | undefined) ?? {};
  group[inner] = value;
  row[field] = group;
}

/** The value at the path; undefined when its group is absent. */
export function valueAt(row: object, [field, inner]: FlatColumn['path']): unknown {
  const value = (row as Readonly<Record<string, unknown>>)[field];
  return inner === undefined ? value : (value as Readonly<Record<string, unknown>> | undefined)?.[inner];
}

/** A document in which every field is absent counts as absent. */
function toJson(value: unknown): string | null {
  const json = JSON.stringify(value);
  return json === '{}' ? null : json;
}
