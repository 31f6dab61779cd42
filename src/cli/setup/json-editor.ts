import { isDeepStrictEqual } from 'node:util';
import {
  applyEdits,
  createScanner,
  type FormattingOptions,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { JsonDialect } from './clients.ts';
import { type Editor, withValue } from './entry.ts';
import { FileProblem, toLineAndColumn, toLineEnd } from './problem.ts';

/** Edits JSON, with comments and trailing commas where the client reads them. */
export function createJsonEditor(serversKey: string, dialect: JsonDialect): Editor {
  return {
    readServers(text) {
      if (text.trim() === '') return {};
      const servers = findNodeAtLocation(readRoot(text, dialect), [serversKey]);
      return servers === undefined ? {} : toValue(toObjectNode(text, servers, serversKey));
    },
    add: (text, name, entry) => set(text, [serversKey, name], entry),
    set: (text, name, path, value) => set(text, [serversKey, name, ...path], value),
    remove(text, name) {
      const after = removeAt(text, [serversKey, name]);
      const servers = findNodeAtLocation(readRoot(after, dialect), [serversKey]);
      // Nobody writes an empty list of servers, so it is removed too, unless it contains a comment.
      const isBare = servers !== undefined && /^\{\s*\}$/.test(toNodeText(after, servers));
      return isBare ? removeAt(after, [serversKey]) : after;
    },
  };

  function set(text: string, path: readonly string[], value: unknown): string {
    const base = text.trim() === '' ? `{}${toLineEnd(text)}` : text;
    const root = readRoot(base, dialect);
    const parent = findParent(base, root, path);
    const edits = modify(base, [...path], value, {
      // Insert before the others, so that a comment after the last entry stays with it.
      getInsertionIndex: () => 0,
      ...toFormat(base, root, parent),
    });
    return checked(applyEdits(base, edits), withValue(toValue(root), path, value), dialect);
  }

  /** `modify` would take the comments around the property with it. */
  function removeAt(text: string, path: readonly string[]): string {
    const root = readRoot(text, dialect);
    const property = findNodeAtLocation(root, [...path])?.parent;
    if (property === undefined) throw new FileProblem(`has no ${path.join('.')}`);
    return checked(removeProperty(text, property), withoutValue(toValue(root), path), dialect);
  }
}

/** If a name occurs twice, readers disagree about which one counts, so nothing is written. */
function checked(text: string, expected: unknown, dialect: JsonDialect): string {
  if (isDeepStrictEqual(toValue(readRoot(text, dialect)), expected)) return text;
  throw new FileProblem('names something twice, so that this command cannot tell which one counts');
}

function readRoot(text: string, dialect: JsonDialect): Node {
  const errors: ParseError[] = [];
  const { comments, trailingCommas } = dialect;
  const root = parseTree(text, errors, { disallowComments: !comments, allowTrailingComma: trailingCommas });
  const [first] = errors;
  if (first === undefined && root !== undefined) return toObjectNode(text, root, undefined);
  const code = printParseErrorCode(first?.error ?? 4);
  const reason = problemWords[code] ?? code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  throw new FileProblem(`is broken at ${toLineAndColumn(text, first?.offset ?? 0)}: ${reason}`);
}

/** For problems where the parser's own word does not help. */
const problemWords: Readonly<Record<string, string>> = {
  InvalidSymbol: 'there is a word that JSON does not know, or quotes are missing',
  PropertyNameExpected: 'a name in double quotes is missing; no comma may stand before a closing brace',
  ValueExpected: 'a value is missing; no comma may stand before a closing bracket',
  InvalidCommentToken: 'the client does not read comments in this file',
};

/** The object that the change goes into: the deepest one of the path that is there. */
function findParent(text: string, root: Node, path: readonly string[]): Node {
  let parent = root;
  for (const key of path.slice(0, -1)) {
    const child = findNodeAtLocation(parent, [key]);
    if (child === undefined) return parent;
    parent = toObjectNode(text, child, key);
  }
  return parent;
}

/** Text on one line stays on one line. Elsewhere the change uses the file's indentation. */
function toFormat(text: string, root: Node, parent: Node): { formattingOptions?: FormattingOptions } {
  const isInline = ({ children = [], ...node }: Node) =>
    children.length > 0 && !toNodeText(text, node).includes('\n');
  if (isInline(root) || isInline(parent)) return {};
  const [, indent = '  '] = /^([\t ]+)["/]/m.exec(text) ?? [];
  const insertSpaces = !indent.startsWith('\t');
  const tabSize = insertSpaces ? indent.length : 1;
  return { formattingOptions: { tabSize, insertSpaces, eol: toLineEnd(text), keepLines: true } };
}

/** The text without the property and its comma. Comments stay. */
function removeProperty(text: string, property: Node): string {
  const end = property.offset + property.length;
  const before = text.slice(0, property.offset);
  const comma = findComma(text, end);
  if (comma !== undefined) {
    const rest = text.slice(end, comma) + text.slice(comma + 1);
    return (/^[\t ]*\r?\n|^\s*\}/.test(rest) ? before.trimEnd() : before) + rest;
  }
  const siblings = property.parent?.children ?? [];
  const previous = siblings[siblings.indexOf(property) - 1];
  const previousComma = previous && findComma(text, previous.offset + previous.length);
  const kept =
    previousComma === undefined ? before : before.slice(0, previousComma) + before.slice(previousComma + 1);
  const isCommentBefore = /\/\/[^\n]*\n\s*$/.test(kept);
  return (isCommentBefore && !/^\s*\n/.test(text.slice(end)) ? kept : kept.trimEnd()) + text.slice(end);
}

/** The comma after a property, even if comments come before it. */
function findComma(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  const comma: number = 5;
  return scanner.scan() === comma ? scanner.getTokenOffset() : undefined;
}

function toObjectNode(text: string, node: Node, name: string | undefined): Node {
  if (node.type === 'object') return node;
  const subject =
    name === undefined ? 'something else than an object' : `${JSON.stringify(name)}, which is no object`;
  throw new FileProblem(`has ${subject}, at ${toLineAndColumn(text, node.offset)}`);
}

/** Plain objects: the parser's own have no prototype and compare as different. */
function toValue(node: Node) {
  return JSON.parse(JSON.stringify(getNodeValue(node)));
}

function toNodeText(text: string, { offset, length }: Pick<Node, 'offset' | 'length'>): string {
  return text.slice(offset, offset + length);
}

function withoutValue(object: unknown, [key = '', ...below]: readonly string[]): unknown {
  const { [key]: child, ...rest } = object as Record<string, unknown>;
  return below.length === 0 ? rest : { ...rest, [key]: withoutValue(child, below) };
}
