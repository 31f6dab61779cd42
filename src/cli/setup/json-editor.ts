import { isDeepStrictEqual } from 'node:util';
import { findNodeAtLocation, getNodeValue, type Node } from 'jsonc-parser';
import type { JsonDialect } from './clients.ts';
import type { Editor } from './editor.ts';
import { isObject } from './entry.ts';
import { insertProperty, removeProperty, replaceValue } from './json-properties.ts';
import { parseJson } from './json-text.ts';
import { FileProblem, toLineAndColumn, toLineEnd } from './problem.ts';

/** Edits JSON, with comments and trailing commas where the client reads them. */
export function createJsonEditor(serversKey: string, dialect: JsonDialect): Editor {
  return {
    readServers(text) {
      if (text.trim() === '') return {};
      const servers = findNodeAtLocation(readRoot(text, dialect), [serversKey]);
      if (servers === undefined) return {};
      return toValue(toObjectNode(text, servers, serversKey));
    },
    add(text, name, entry) {
      return set(text, [serversKey, name], entry);
    },
    set(text, name, path, value) {
      return set(text, [serversKey, name, ...path], value);
    },
    remove(text, name) {
      const servers = findNodeAtLocation(readRoot(text, dialect), [serversKey]);
      const after = removeAt(text, [serversKey, name]);
      const isLast = servers?.children?.length === 1;
      // Nobody writes an empty list of servers, so it goes too; one that a comment stands in stays.
      const isBare = /^\{\s*\}$/.test(toNodeText(after, readRoot(after, dialect), [serversKey]));
      return isLast && isBare ? removeAt(after, [serversKey]) : after;
    },
  };

  function set(text: string, path: readonly string[], value: unknown): string {
    const base = text.trim() === '' ? `{}${toLineEnd(text)}` : text;
    const root = readRoot(base, dialect);
    const depth = toDepth(base, root, path);
    const node = findNodeAtLocation(root, path.slice(0, depth)) ?? root;
    const [name, ...below] = path.slice(depth);
    const nested = below.reduceRight((inner, key) => ({ [key]: inner }), value);
    const after =
      name === undefined
        ? replaceValue({ text: base, root, node, value })
        : insertProperty({ text: base, root, node, name, value: nested });
    return checked(after, withValue(toValue(root), path, value));
  }

  function removeAt(text: string, path: readonly string[]): string {
    const root = readRoot(text, dialect);
    const node = findNodeAtLocation(root, [...path])?.parent;
    if (node === undefined) throw new FileProblem(`has no ${path.join('.')}`);
    return checked(removeProperty({ text, root, node }), withoutValue(toValue(root), path));
  }

  /** A name that stands there twice is read differently than it is found: then nothing may be written. */
  function checked(text: string, expected: unknown): string {
    if (isDeepStrictEqual(toValue(readRoot(text, dialect)), expected)) return text;
    throw new FileProblem('names something twice, so that this command cannot tell which one counts');
  }
}

function readRoot(text: string, dialect: JsonDialect): Node {
  return toObjectNode(text, parseJson(text, dialect), undefined);
}

/** How far down the path the text goes already. */
function toDepth(text: string, root: Node, path: readonly string[]): number {
  let depth = 0;
  while (depth < path.length) {
    const parent = findNodeAtLocation(root, path.slice(0, depth));
    if (parent !== undefined) toObjectNode(text, parent, path[depth - 1]);
    if (findNodeAtLocation(root, path.slice(0, depth + 1)) === undefined) return depth;
    depth += 1;
  }
  return depth;
}

function toObjectNode(text: string, node: Node, name: string | undefined): Node {
  if (node.type === 'object') return node;
  const subject =
    name === undefined ? 'something else than an object' : `${JSON.stringify(name)}, which is no object`;
  throw new FileProblem(`has ${subject}, at ${toLineAndColumn(text, node.offset)}`);
}

/** Ordinary objects: the parser's own have no prototype and compare as different. */
function toValue(node: Node) {
  return JSON.parse(JSON.stringify(getNodeValue(node)));
}

function toNodeText(text: string, root: Node, path: string[]): string {
  const node = findNodeAtLocation(root, path);
  return node === undefined ? '' : text.slice(node.offset, node.offset + node.length);
}

function withValue(object: unknown, [key, ...below]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const parent = isObject(object) ? object : {};
  return { ...parent, [key]: withValue(parent[key], below, value) };
}

function withoutValue(object: unknown, [key = '', ...below]: readonly string[]): unknown {
  const { [key]: child, ...rest } = object as Record<string, unknown>;
  return below.length === 0 ? rest : { ...rest, [key]: withoutValue(child, below) };
}
