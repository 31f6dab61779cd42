import { createScanner, type Node } from 'jsonc-parser';
import { toLineEnd } from './problem.ts';

type Place = Readonly<{ text: string; root: Node; node: Node }>;

/** The text with a property as the last one of the object, in the manner of the properties around it. */
export function insertProperty({
  text,
  root,
  node,
  name,
  value,
}: Place & { name: string; value: unknown }): string {
  const style = toStyle({ text, root, node });
  const property = `${JSON.stringify(name)}${style.colon}${toJson(value, style)}`;
  const last = node.children?.at(-1);
  const inner = readTrivia(text, last === undefined ? node.offset + 1 : toEnd(last), toEnd(node) - 1);
  if (last === undefined && inner.solidEnd === undefined) {
    const close = style.isInline ? '' : style.lineEnd + style.outerIndent;
    return `${text.slice(0, node.offset + 1)}${style.before}${property}${close}${text.slice(toEnd(node) - 1)}`;
  }
  const start = last === undefined ? node.offset + 1 : toEnd(last);
  const at = inner.solidEnd ?? start;
  const isFirst = last === undefined;
  const comma = isFirst || inner.commaEnd !== undefined ? '' : ',';
  const trailing = inner.commaEnd === undefined ? '' : ',';
  const isClosedOnLine = isFirst && !text.slice(at, toEnd(node)).includes('\n');
  const close = isClosedOnLine && !style.isInline ? style.lineEnd + style.outerIndent : '';
  return `${text.slice(0, start)}${comma}${text.slice(start, at)}${style.before}${property}${trailing}${close}${text.slice(at)}`;
}

/** The text without the property: what `insertProperty` made of it is undone to the byte. */
export function removeProperty({ text, node }: Place): string {
  const siblings = node.parent?.children ?? [];
  const index = siblings.indexOf(node);
  const previous = siblings[index - 1];
  const parent = node.parent ?? node;
  const before = readTrivia(text, previous === undefined ? parent.offset + 1 : toEnd(previous), node.offset);
  const nextStart = siblings[index + 1]?.offset ?? toEnd(parent) - 1;
  const after = readTrivia(text, toEnd(node), nextStart);
  const from = before.solidEnd ?? parent.offset + 1;
  const to = after.commaEnd ?? toEnd(node);
  const isLast = index === siblings.length - 1;
  const isAlone = siblings.length === 1 && before.solidEnd === undefined && after.solidEnd === after.commaEnd;
  if (isAlone) return text.slice(0, from) + text.slice(toEnd(parent) - 1);
  if (isLast && after.commaEnd === undefined && before.commaEnd !== undefined) {
    return text.slice(0, before.commaEnd - 1) + text.slice(before.commaEnd, from) + text.slice(to);
  }
  return text.slice(0, from) + text.slice(to);
}

/** The text with another value in the place of the node. */
export function replaceValue({ text, root, node, value }: Place & { value: unknown }): string {
  const object = node.parent?.parent ?? root;
  return (
    text.slice(0, node.offset) +
    toJson(value, toStyle({ text, root, node: object })) +
    text.slice(toEnd(node))
  );
}

type Style = Readonly<{
  isInline: boolean;
  /** What stands before a property. */
  before: string;
  colon: string;
  lineEnd: string;
  /** Of the properties of the object, of the line it begins in, and from one level to the next. */
  indent: string;
  outerIndent: string;
  unit: string;
}>;

function toStyle({ text, root, node }: Place): Style {
  const has = (one: Node, sign: string) => text.slice(one.offset, toEnd(one)).includes(sign);
  const isRootInline = (root.children?.length ?? 0) > 0 && !has(root, '\n');
  const isInline = (node.children?.length ?? 0) > 0 ? !has(node, '\n') : isRootInline;
  const unit = (root.children ?? []).map((child) => toOwnIndent(text, child)).find(Boolean) ?? '  ';
  const outerIndent = /^[\t ]*/.exec(text.slice(toLineStart(text, node.offset)))?.[0] ?? '';
  const own = (node.children ?? [])
    .map((child) => toOwnIndent(text, child))
    .find((indent) => indent !== undefined);
  const indent = own ?? outerIndent + unit;
  const lineEnd = toLineEnd(text);
  const isSpaced = !isRootInline || /":\s/.test(text);
  const isFirst = (node.children?.length ?? 0) === 0;
  const gap = isSpaced && !isFirst ? ' ' : '';
  const before = isInline ? gap : lineEnd + indent;
  return { isInline, before, colon: isSpaced ? ': ' : ':', lineEnd, indent, outerIndent, unit };
}

/** The indentation of a property that begins its line. */
function toOwnIndent(text: string, node: Node): string | undefined {
  const indent = text.slice(toLineStart(text, node.offset), node.offset);
  return node.offset > 0 && /^[\t ]*$/.test(indent) && toLineStart(text, node.offset) > 0
    ? indent
    : undefined;
}

function toLineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function toEnd(node: Node): number {
  return node.offset + node.length;
}

/** Lists stay on their line, as people write them. */
function toJson(value: unknown, style: Style, indent = style.indent): string {
  const gap = style.colon.slice(1);
  if (Array.isArray(value)) {
    return `[${value.map((item) => toJson(item, { ...style, isInline: true })).join(`,${gap}`)}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = indent + style.unit;
  const properties = Object.entries(value).map(
    ([name, item]) => `${JSON.stringify(name)}${style.colon}${toJson(item, style, deeper)}`,
  );
  if (style.isInline || properties.length === 0) return `{${properties.join(`,${gap}`)}}`;
  const lines = properties.map((property) => deeper + property).join(`,${style.lineEnd}`);
  return `{${style.lineEnd}${lines}${style.lineEnd}${indent}}`;
}

const commaToken = 5;
const commentTokens: readonly number[] = [12, 13];

/** What stands between two properties: where the comma ends, and where the last thing ends that is not blank. */
function readTrivia(text: string, from: number, to: number): { commaEnd?: number; solidEnd?: number } {
  const scanner = createScanner(text, false);
  scanner.setPosition(from);
  let found: { commaEnd?: number; solidEnd?: number } = {};
  while (scanner.getPosition() < to) {
    const token: number = scanner.scan();
    const end = scanner.getPosition();
    if (token === commaToken) found = { commaEnd: end, solidEnd: end };
    if (commentTokens.includes(token)) found = { ...found, solidEnd: end };
  }
  return found;
}
