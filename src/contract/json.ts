import { withoutByteOrderMark } from './byte-order-mark.ts';
import { limits } from './limits.ts';

export type Json = Readonly<{ value: unknown } | { fault: string }>;

/**
 * Reads JSON that somebody else wrote, for every door. A byte order mark before it is skipped.
 *
 * Two things that `JSON.parse` accepts are refused. Deep nesting, because code that walks a value (ours or a
 * library's) recurses and runs out of stack: so the depth is counted in the text, before there is a value to walk. And
 * a key given twice, because readers disagree about which of the two counts.
 */
export function parseJson(text: string): Json {
  const json = withoutByteOrderMark(text);
  const fault = findFault(json);
  if (fault !== undefined) return { fault };
  try {
    return { value: JSON.parse(json) };
  } catch (error) {
    return { fault: `is not JSON: ${(error as Error).message}` };
  }
}

/** An object as JSON knows it: neither an array nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the text once. In text that is not JSON it may find nothing; the parser refuses that. */
function findFault(json: string): string | undefined {
  const { jsonDepthMax } = limits;
  /** The keys of each open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const sign = json[at];
    if (sign === '{' || sign === '[') {
      if (open.length === jsonDepthMax) return `is nested deeper than ${jsonDepthMax} levels`;
      open.push(sign === '{' ? new Set() : undefined);
    } else if (sign === '}' || sign === ']') {
      open.pop();
    } else if (sign === '"') {
      const end = findEnd(json, at);
      const keys = open.at(-1);
      if (keys && isKey(json, end + 1)) {
        const key = toKey(json.slice(at, end + 1));
        if (keys.has(key)) return `gives the key ${JSON.stringify(key.slice(0, 60))} more than once`;
        keys.add(key);
      }
      at = end;
    }
  }
  return undefined;
}

/** Where the string that begins here ends; the end of the text if it is not closed. */
function findEnd(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end < 0 ? json.length : end;
}

function isEscaped(json: string, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

function isKey(json: string, after: number): boolean {
  let at = after;
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at += 1;
  return json[at] === ':';
}

/** `"\u0061"` and `"a"` are the same key. */
function toKey(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted);
  } catch {
    return quoted;
  }
}
