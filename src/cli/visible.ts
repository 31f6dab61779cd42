import { replaceHiddenInName, replaceHiddenInText, toVisibleJson } from '../contract/hidden.ts';

/**
 * Text from peers as it may be written to a terminal: control characters and the invisible ones that reorder or hide
 * text are shown as signs, so that nobody can move the cursor, forge a line or hide an instruction.
 */
export function toVisible(text: string, options: Readonly<{ keepLines?: boolean }> = {}): string {
  const shown = replaceHiddenInText(text, toSign);
  return options.keepLines ? shown : shown.replace(/[\t\n]/g, toSign);
}

/** A name as it may be written to a terminal: whatever nobody would see in it is a sign, so that it cannot pose as another. */
export function toVisibleName(name: string): string {
  return replaceHiddenInName(name, toSign);
}

/** A value as one line of JSON, with what a terminal could execute or hide written as escapes: the same value. */
export function toJsonLine(value: unknown): string {
  return toVisibleJson(JSON.stringify(value));
}

function toSign(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x20) return String.fromCodePoint(0x2400 + point);
  if (point === 0x7f) return '\u2421';
  return `\\u{${point.toString(16)}}`;
}
