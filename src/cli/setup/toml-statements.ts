import { parse } from 'smol-toml';
import { isObject } from './entry.ts';

/** A header or a line with a key, with the places it takes in the text; its end lies behind its line end. */
export type Statement = Readonly<{
  kind: 'table' | 'key';
  /** The whole name, from the root. */
  path: readonly string[];
  /** The table it stands in. */
  table: readonly string[];
  start: number;
  end: number;
  valueStart: number;
  valueEnd: number;
}>;

/** The statements of a text that a parser has accepted; comments and blank lines lie between them. */
export function readStatements(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let table: readonly string[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    const first = skip(text, at, /[\t ]/);
    const sign = text[first];
    if (sign === '[') {
      const isList = text[first + 1] === '[';
      const nameEnd = readUntil(text, first + (isList ? 2 : 1), ']');
      // The elements of a list of tables have no name of their own; nothing in them is looked for.
      const name = readKey(text.slice(first + (isList ? 2 : 1), nameEnd));
      table = isList ? [...name, '[]'] : name;
      at = toNextLine(text, nameEnd);
      statements.push({ kind: 'table', path: table, table, start, end: at, valueStart: at, valueEnd: at });
    } else if (sign === undefined || sign === '#' || sign === '\n' || sign === '\r') {
      at = toNextLine(text, first);
    } else {
      const keyEnd = readUntil(text, first, '=');
      const path = [...table, ...readKey(text.slice(first, keyEnd))];
      const valueStart = skip(text, keyEnd + 1, /[\t ]/);
      const valueEnd = readValue(text, valueStart);
      at = toNextLine(text, valueEnd);
      statements.push({ kind: 'key', path, table, start, end: at, valueStart, valueEnd });
    }
  }
  return statements;
}

/** Where the last item of a list ends, with its comma, or the bracket that opens an empty one. */
export function findListEnd(text: string, valueStart: number, valueEnd: number): number {
  let at = valueStart + 1;
  let end = at;
  while (at < valueEnd - 1) {
    const sign = text[at] ?? '';
    if (sign === '#') {
      at = toNextLine(text, at);
      continue;
    }
    at = sign === '"' || sign === "'" ? readString(text, at) : at + 1;
    if (!/\s/.test(sign)) end = at;
  }
  return end;
}

/** The parts of a dotted name; the parser itself says what they are. */
function readKey(text: string): readonly string[] {
  const keys: string[] = [];
  let inner: unknown = parse(`${text.trim()} = 0`);
  while (isObject(inner)) {
    const [key = ''] = Object.keys(inner);
    keys.push(key);
    inner = inner[key];
  }
  return keys;
}

/** Where the value ends that begins here: at the last sign before a comment or line end outside of all brackets. */
function readValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  let end = start;
  while (at < text.length) {
    const sign = text[at] ?? '';
    if ((sign === '\n' || sign === '#') && depth === 0) return end;
    if (sign === '#') {
      at = toNextLine(text, at);
      continue;
    }
    if (sign === '[' || sign === '{') depth += 1;
    if (sign === ']' || sign === '}') depth -= 1;
    at = sign === '"' || sign === "'" ? readString(text, at) : at + 1;
    if (!/\s/.test(sign)) end = at;
  }
  return end;
}

function readUntil(text: string, start: number, wanted: string): number {
  let at = start;
  while (at < text.length && text[at] !== wanted) {
    at = text[at] === '"' || text[at] === "'" ? readString(text, at) : at + 1;
  }
  return at;
}

/** Where the string ends that begins here, in any of the four ways that TOML writes one. */
function readString(text: string, start: number): number {
  const quote = text[start] ?? '';
  const isLong = text.startsWith(quote.repeat(3), start);
  const close = isLong ? quote.repeat(3) : quote;
  let at = start + close.length;
  while (at < text.length && !text.startsWith(close, at)) at += quote === '"' && text[at] === '\\' ? 2 : 1;
  at += close.length;
  // Up to two quotes may stand right before the closing three.
  while (isLong && text[at] === quote) at += 1;
  return at;
}

function skip(text: string, start: number, signs: RegExp): number {
  let at = start;
  while (at < text.length && signs.test(text[at] ?? '')) at += 1;
  return at;
}

function toNextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}
