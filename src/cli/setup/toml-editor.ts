import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import type { Editor } from './editor.ts';
import { type Entry, isObject } from './entry.ts';
import { FileProblem, toLineEnd } from './problem.ts';
import { findListEnd, readStatements, type Statement } from './toml-statements.ts';
import { toTomlKey, toTomlLine, toTomlValue } from './toml-values.ts';

/** Edits TOML as text, statement by statement, so that comments and order stay; a parser checks it before and after. */
export function createTomlEditor(serversKey: string): Editor {
  return {
    readServers,
    add(text, name, entry) {
      const lineEnd = toLineEnd(text);
      const header = `[${toTomlKey(serversKey)}.${toTomlKey(name)}]`;
      const lines = [header, ...Object.entries(entry).map(([key, value]) => toTomlLine(key, value))];
      const block = lines.join(lineEnd);
      const after = text.trim() === '' ? block + lineEnd : appendBlock(text, block, lineEnd);
      return checked(after, withServer(text, name, entry));
    },
    set(text, name, path, value) {
      const found = readServers(text)[name];
      const entry = isObject(found) ? found : {};
      const after = setValue(text, [serversKey, name], entry, path, value);
      return checked(after, withServer(text, name, withValue(entry, path, value)));
    },
    remove(text, name) {
      const after = removeBelow(text, [serversKey, name]);
      const { [name]: _removed, ...others } = readServers(text);
      const expected = { ...parseToml(text), [serversKey]: others };
      const { [serversKey]: _empty, ...bare } = expected;
      const isEmpty = Object.keys(others).length === 0 && parseToml(after)[serversKey] === undefined;
      return checked(after, isEmpty ? bare : expected);
    },
  };

  function readServers(text: string): Entry {
    const servers = parseToml(text)[serversKey];
    if (servers === undefined) return {};
    if (isObject(servers)) return servers;
    throw new FileProblem(`has ${serversKey}, which is no table`);
  }

  function withServer(text: string, name: string, entry: Entry): unknown {
    return { ...parseToml(text), [serversKey]: { ...readServers(text), [name]: entry } };
  }
}

/** Ways of writing a table that this does not edit end here, before anything is written. */
function checked(text: string, expected: unknown): string {
  try {
    if (isDeepStrictEqual(parseToml(text), expected)) return text;
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
  }
  throw new FileProblem('writes its servers in a way that this command does not edit');
}

function parseToml(text: string): Record<string, unknown> {
  try {
    return toPlain(parse(text, { integersAsBigInt: 'asNeeded' })) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new FileProblem(`is broken at line ${error.line}, column ${error.column}: ${first}`);
  }
}

/** Ordinary objects: the parser's own have no prototype and compare as different. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isObject(value) || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

/** Ends as the text ended, so that taking the block out again leaves no trace. */
function appendBlock(text: string, block: string, lineEnd: string): string {
  return text.endsWith('\n') ? text + lineEnd + block + lineEnd : text + lineEnd + lineEnd + block;
}

function setValue(
  text: string,
  table: readonly string[],
  entry: Entry,
  path: readonly string[],
  value: unknown,
): string {
  const [key = '', ...below] = path;
  const statements = readStatements(text);
  const header = statements.find((one) => one.kind === 'table' && isDeepStrictEqual(one.path, table));
  if (header === undefined)
    throw new FileProblem('writes its servers in a way that this command does not edit');
  const hasOwnTable = statements.some(
    (one) => one.kind === 'table' && isDeepStrictEqual(one.path, [...table, key]),
  );
  if (below.length > 0 && hasOwnTable) return setValue(text, [...table, key], {}, below, value);
  const line = toTomlLine(key, below.length > 0 ? withValue(entry[key], below, value) : value);
  const own = statements.filter((one) => one.kind === 'key' && isDeepStrictEqual(one.table, table));
  const there = own.find((one) => isDeepStrictEqual(one.path, [...table, key]));
  if (there !== undefined) {
    const more = below.length > 0 ? undefined : toMoreItems(entry[key], value);
    if (more !== undefined) return extendList(text, there, more);
    const valueText = toTomlValue(below.length > 0 ? withValue(entry[key], below, value) : value);
    return text.slice(0, there.valueStart) + valueText + text.slice(there.valueEnd);
  }
  const last = own.at(-1) ?? header;
  const lineEnd = toLineEnd(text);
  const isOpen = !text.slice(0, last.end).endsWith('\n');
  return `${text.slice(0, last.end)}${isOpen ? lineEnd : ''}${line}${isOpen ? '' : lineEnd}${text.slice(last.end)}`;
}

/** What the one list has behind the items of the other; nothing when it is no longer version of it. */
function toMoreItems(before: unknown, after: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(before) || !Array.isArray(after)) return undefined;
  const isLonger = isDeepStrictEqual(after.slice(0, before.length), before);
  return isLonger ? after.slice(before.length) : undefined;
}

/** What somebody wrote between the items, and about them, stays. */
function extendList(text: string, { valueStart, valueEnd }: Statement, more: readonly unknown[]): string {
  const end = findListEnd(text, valueStart, valueEnd);
  const lead = { '[': '', ',': ' ' }[text[end - 1] ?? ''] ?? ', ';
  return text.slice(0, end) + lead + more.map(toTomlValue).join(', ') + text.slice(end);
}

/** Every statement that says something about the path goes, and with each run of them the blank line before it. */
function removeBelow(text: string, path: readonly string[]): string {
  const statements = readStatements(text);
  const isBelow = ({ path: own }: Statement) => path.every((key, index) => own[index] === key);
  let rest = text;
  for (let index = statements.length - 1; index >= 0; index -= 1) {
    const last = statements[index];
    if (last === undefined || !isBelow(last)) continue;
    let first = last;
    for (
      let before = statements[index - 1];
      before !== undefined && isBelow(before);
      before = statements[index - 1]
    ) {
      first = before;
      index -= 1;
    }
    rest = cut(rest, first, last);
  }
  return rest;
}

function cut(text: string, first: Statement, last: Statement): string {
  let from = first.start;
  const before = text.slice(0, from);
  const blank = /(?:^|\n)(\r?\n)$/.exec(before)?.[1] ?? '';
  if (first.kind === 'table') from -= blank.length;
  const isOpen = last.end === text.length && !text.endsWith('\n');
  // The text ended without a line end before the block was put there.
  if (isOpen) return text.slice(0, from).replace(/\r?\n$/, '');
  return text.slice(0, from) + text.slice(last.end);
}

function withValue(object: unknown, [key, ...below]: readonly string[], value: unknown): Entry {
  const parent = isObject(object) ? object : {};
  if (key === undefined) return parent;
  return { ...parent, [key]: below.length === 0 ? value : withValue(parent[key], below, value) };
}
