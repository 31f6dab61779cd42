import { isObject } from './entry.ts';

/** A value on one line, as TOML writes it. */
export function toTomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toTomlValue).join(', ')}]`;
  if (isObject(value)) {
    const pairs = Object.entries(value).map(([key, item]) => toTomlLine(key, item));
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  return typeof value === 'string' ? toTomlString(value) : String(value);
}

export function toTomlLine(key: string, value: unknown): string {
  return `${toTomlKey(key)} = ${toTomlValue(value)}`;
}

export function toTomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : toTomlString(key);
}

/** Windows paths read better between single quotes, where a backslash is a backslash. */
function toTomlString(text: string): string {
  const isLiteral = text.includes('\\') && /^[^'\p{Cc}]*$/u.test(text);
  if (isLiteral) return `'${text}'`;
  // The escapes of JSON are escapes of TOML too; delete is the one more that TOML wants.
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}
