import { columnNameOf, isGroup, valueAt } from './codec.ts';
import type { Column } from './columns.ts';
import { type KindName, type Row, schema } from './schema.ts';
import { toTimestamp } from './timestamp.ts';

/**
 * Rows as callers see them: wire names, groups flattened, times as text, absent fields left out. Exports use the
 * same form, so an import can read it back.
 */

export type ShownField = Readonly<{
  /** The name on the wire and in exports. */
  name: string;
  column: Column;
  path: readonly [field: string] | readonly [field: string, inner: string];
}>;

/** Every field of a kind except the internal ones. */
export function shownFieldsOf(kind: KindName): readonly ShownField[] {
  return Object.entries(schema[kind].fields).flatMap(([field, declared]) =>
    isGroup(declared)
      ? Object.entries(declared.fields).flatMap(([inner, column]) =>
          toField([field, inner], column as Column),
        )
      : toField([field], declared),
  );
}

function toField(path: ShownField['path'], column: Column): readonly ShownField[] {
  return column.isHidden ? [] : [{ name: columnNameOf(path.at(-1) ?? '', column), column, path }];
}

/** Creates the function that converts a row to its public form. `without` names fields that are shown elsewhere. */
export function createShow<Name extends KindName>(
  kind: Name,
  without: readonly string[] = [],
): (row: Row<Name>) => Readonly<Record<string, unknown>> {
  const fields = shownFieldsOf(kind).filter(({ path }) => !without.includes(path.at(-1) ?? ''));
  return (row) => {
    const shown: Record<string, unknown> = {};
    for (const { name, column, path } of fields) {
      const value = valueAt(row, path);
      if (value !== undefined) shown[name] = column.type === 'time' ? toTimestamp(value as number) : value;
    }
    return shown;
  };
}

/** Creates the function that converts the public form back to a row. */
export function createUnshow<Name extends KindName>(
  kind: Name,
): (shown: Readonly<Record<string, unknown>>) => Row<Name> {
  const fields = shownFieldsOf(kind);
  return (shown) => {
    const row: Record<string, unknown> = {};
    for (const { name, column, path } of fields) {
      const value = shown[name];
      if (value === undefined || value === null) continue;
      const [field, inner] = path;
      const kept = column.type === 'time' ? Date.parse(value as string) : value;
      row[field] = inner === undefined ? kept : { ...(row[field] as object | undefined), [inner]: kept };
    }
    return row as Row<Name>;
  };
}
