import { z } from 'zod';

/** The type of a field without optional and default. Doors that carry text use it. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'list';

export function fieldKindOf(field: z.ZodType): FieldKind {
  let inner: unknown = field;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap();
  if (inner instanceof z.ZodNumber) return 'number';
  if (inner instanceof z.ZodBoolean) return 'boolean';
  if (inner instanceof z.ZodArray) return 'list';
  return 'text';
}

/**
 * Query strings and flags carry text, so this gives each field the type its schema asks for. Text that does not
 * parse as that type stays text, as do unknown fields, and the schema refuses them by name. A list is given
 * item by item, and one empty item is the empty list.
 */
export function fromText(
  schema: z.ZodObject,
  entries: Iterable<readonly [string, string]>,
): Record<string, unknown> {
  const lists = new Map<string, string[]>();
  const read = [...entries].map(([field, value]): [string, unknown] => {
    const fieldSchema = Object.hasOwn(schema.shape, field) ? schema.shape[field] : undefined;
    const kind = fieldSchema ? fieldKindOf(fieldSchema as z.ZodType) : 'text';
    if (kind !== 'list') return [field, readField(kind, value)];
    const list = lists.get(field) ?? [];
    lists.set(field, list);
    if (value !== '') list.push(value);
    return [field, list];
  });
  return Object.fromEntries(read);
}

function readField(kind: FieldKind, value: string): unknown {
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (kind === 'boolean' && /^(true|1)$/.test(value)) return true;
  if (kind === 'boolean' && /^(false|0)$/.test(value)) return false;
  return value;
}
