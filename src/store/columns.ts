/** How a kind of row is declared: its fields, and what each can hold. Both stores derive their tables from this. */

/**
 * `name` is text that compares byte by byte in every database; `time` is milliseconds since 1970; `json` is a list
 * or an object, stored as text.
 */
export type ColumnType = 'integer' | 'time' | 'text' | 'name' | 'flag' | 'json';

/** One column. An absent field is `undefined` in a row and NULL in the table. */
export type Column<Value = unknown, IsOptional extends boolean = boolean> = Readonly<{
  type: ColumnType;
  isOptional: IsOptional;
  /** Absent at first and set later. An event keeps the value of that moment. */
  isLater?: boolean;
  /** Internal to the bus; callers never see it. */
  isHidden?: boolean;
  /** The column's name, when it differs from the field's name in snake case. */
  name?: string;
  /** Never has a value; it only tells the compiler the field's type. */
  value?: Value;
}>;

/** Fields that are all present or all absent. A `document` stores them in one JSON column. */
export type Group<Fields extends Shape = Shape, IsOptional extends boolean = boolean> = Readonly<{
  fields: Fields;
  isOptional: IsOptional;
  /** The column that holds them all. */
  document?: string;
}>;

// biome-ignore lint/suspicious/noExplicitAny: a shape is made of shapes, which only an interface can say
export type Shape = Readonly<Record<string, Column<any> | AnyGroup>>;
interface AnyGroup extends Readonly<{ fields: Shape; isOptional: boolean; document?: string }> {}

/** The row type that a shape declares. */
export type RowOf<Fields extends Shape> = Readonly<
  { [Name in Exclude<keyof Fields, OptionalNames<Fields>>]: ValueOf<Fields[Name]> } & {
    [Name in OptionalNames<Fields>]?: ValueOf<Fields[Name]> | undefined;
  }
>;

type OptionalNames<Fields extends Shape> = {
  [Name in keyof Fields]: Fields[Name]['isOptional'] extends true ? Name : never;
}[keyof Fields];

type ValueOf<Field> =
  Field extends Group<infer Fields> ? RowOf<Fields> : Field extends Column<infer Value> ? Value : never;

export const integer: Column<number, false> = { type: 'integer', isOptional: false };
export const time: Column<number, false> = { type: 'time', isOptional: false };
export const name: Column<string, false> = { type: 'name', isOptional: false };
export const text: Column<string, false> = { type: 'text', isOptional: false };
export const flag: Column<boolean, false> = { type: 'flag', isOptional: false };

/** Text that is one of a few fixed words. */
export function word<Word extends string>(): Column<Word, false> {
  return { type: 'text', isOptional: false };
}

/** A list or an object. */
export function json<Value>(): Column<Value, false> {
  return { type: 'json', isOptional: false };
}

export function optional<Value>(column: Column<Value>): Column<Value, true> {
  return { ...column, isOptional: true };
}

/** Absent at first, and set later by something that happens to the row. */
export function later<Value>(column: Column<Value>): Column<Value, true> {
  return { ...column, isOptional: true, isLater: true };
}

export function hidden<Value, IsOptional extends boolean>(
  column: Column<Value, IsOptional>,
): Column<Value, IsOptional> {
  return { ...column, isHidden: true };
}

export function named<Value, IsOptional extends boolean>(
  columnName: string,
  column: Column<Value, IsOptional>,
): Column<Value, IsOptional> {
  return { ...column, name: columnName };
}

/** Fields that every row has. */
export function group<Fields extends Shape>(fields: Fields): Group<Fields, false> {
  return { fields, isOptional: false };
}

/** Fields that a row has all of, or none. */
export function optionalGroup<Fields extends Shape>(fields: Fields): Group<Fields, true> {
  return { fields, isOptional: true };
}

/** Fields stored together in one JSON column, for data that is only read as a whole and never queried. */
export function optionalDocument<Fields extends Shape>(
  document: string,
  fields: Fields,
): Group<Fields, true> {
  return { fields, isOptional: true, document };
}
