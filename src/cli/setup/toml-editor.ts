import { isDeepStrictEqual } from 'node:util';
import { parse as parseForPatch, patch, TomlFormat } from '@decimalturn/toml-patch';
import { parse, stringify, TomlError } from 'smol-toml';
import { isObject } from '../../contract/json.ts';
import { type Editor, type Entry, withValue } from './entry.ts';
import { FileProblem, toLineEnd } from './problem.ts';

/**
 * Edits TOML. A new table is appended to the file. Existing tables are changed by a library that keeps comments and
 * order, and a second library reads the result before it is accepted.
 */
export function createTomlEditor(serversKey: string): Editor {
  return {
    readServers,
    add: addServer,
    set(text, name, path, value) {
      return change(text, (document) => withValue(document, [serversKey, name, ...path], value));
    },
    remove(text, name) {
      return cutBlock(text, name) ?? change(text, (document) => withoutServer(document, name));
    },
  };

  /** The text before the block that `add` appended, if nobody has changed that block. */
  function cutBlock(text: string, name: string): string | undefined {
    const start = text.lastIndexOf(`[${serversKey}.${name}]`);
    const entry = readServers(text)[name];
    const candidates = [1, 2].map((count) => text.slice(0, start - count * toLineEnd(text).length));
    return candidates.find((before) => start > 0 && isObject(entry) && isSame(before, name, entry, text));
  }

  function isSame(before: string, name: string, entry: Entry, text: string): boolean {
    try {
      return addServer(before, name, entry) === text;
    } catch (error) {
      if (error instanceof FileProblem) return false;
      throw error;
    }
  }

  function withoutServer(document: Entry, name: string): Entry {
    const { [serversKey]: servers, ...rest } = document;
    const { [name]: _removed, ...others } = servers as Entry;
    return Object.keys(others).length === 0 ? rest : { ...rest, [serversKey]: others };
  }

  function readServers(text: string): Entry {
    const servers = parseToml(text)[serversKey];
    if (servers === undefined) return {};
    if (isObject(servers)) return servers;
    throw new FileProblem(`has ${serversKey}, which is no table`);
  }

  function addServer(text: string, name: string, entry: Entry): string {
    const lineEnd = toLineEnd(text);
    const block = stringify({ [serversKey]: { [name]: entry } })
      .trimEnd()
      .replaceAll('\n', lineEnd);
    const after = text.trim() === '' ? block + lineEnd : appendBlock(text, block, lineEnd);
    return checked(after, withValue(parseToml(text), [serversKey, name], entry));
  }
}

/** The library compares with what it read itself: dates and long numbers of another would be changes to it. */
function change(text: string, edit: (document: Entry) => Entry): string {
  const format = Object.assign(TomlFormat.default(), { trailingComma: false, bracketSpacing: false });
  return checked(patch(text, edit(parseForPatch(text)), format), edit(parseToml(text)));
}

/** If the text does not read back as intended, stop before anything is written. */
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

/** Plain objects: the parser's own have no prototype and compare as different. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isObject(value) || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

/** Ends as the text ended, so that removing the block leaves no trace. */
function appendBlock(text: string, block: string, lineEnd: string): string {
  return text.endsWith('\n') ? text + lineEnd + block + lineEnd : text + lineEnd + lineEnd + block;
}
