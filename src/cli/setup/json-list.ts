import {
  applyEdits,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type ParseError,
  parseTree,
} from 'jsonc-parser';
import type { JsonDialect } from './clients.ts';
import { FileProblem, toLineEnd } from './problem.ts';

/** The items of a list in a text of JSON; none where there is no such list. */
export function readList(text: string, path: readonly string[], dialect: JsonDialect): readonly unknown[] {
  if (text.trim() === '') return [];
  const node = findNodeAtLocation(readRoot(text, dialect), [...path]);
  if (node === undefined) return [];
  if (node.type !== 'array') throw new FileProblem(`has ${path.join('.')}, which is no list`);
  // Ordinary objects: the parser's own have no prototype and compare as different.
  return JSON.parse(JSON.stringify(getNodeValue(node))) as readonly unknown[];
}

/** The text with one more item at the end of the list, which is made where there is none. */
export function addItem(text: string, path: readonly string[], dialect: JsonDialect, item: unknown): string {
  const { length } = readList(text, path, dialect);
  const isNew = findNodeAtLocation(readRoot(text, dialect), [...path]) === undefined;
  return isNew
    ? edit(text, [...path], [item])
    : edit(text, [...path, length], item, { isArrayInsertion: true });
}

/** The text without those items, and without the lists and objects that are empty then and were not before. */
export function removeItems(
  text: string,
  path: readonly string[],
  dialect: JsonDialect,
  isWanted: (item: unknown) => boolean,
): string {
  const items = readList(text, path, dialect);
  const places = items.flatMap((item, index) => (isWanted(item) ? [index] : [])).reverse();
  let after = text;
  for (const index of places) after = edit(after, [...path, index], undefined);
  for (let depth = path.length; depth > 0 && places.length > 0; depth -= 1) {
    const node = findNodeAtLocation(readRoot(after, dialect), path.slice(0, depth));
    if (node === undefined || (node.children ?? []).length > 0) break;
    after = edit(after, path.slice(0, depth), undefined);
  }
  return after;
}

function edit(
  text: string,
  path: readonly (string | number)[],
  value: unknown,
  options: Readonly<{ isArrayInsertion?: boolean }> = {},
): string {
  const [, indent = '  '] = /^([\t ]+)["/]/m.exec(text) ?? [];
  const insertSpaces = !indent.startsWith('\t');
  const formattingOptions = {
    tabSize: insertSpaces ? indent.length : 1,
    insertSpaces,
    eol: toLineEnd(text),
  };
  return applyEdits(text, modify(text, [...path], value, { formattingOptions, ...options }));
}

function readRoot(text: string, { comments, trailingCommas }: JsonDialect) {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: !comments, allowTrailingComma: trailingCommas });
  if (errors.length > 0 || root?.type !== 'object')
    throw new FileProblem('is no JSON that the client can read');
  return root;
}
