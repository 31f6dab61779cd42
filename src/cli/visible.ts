/**
 * Text from peers as it may be written to a terminal: control characters and the invisible ones that reorder or hide
 * text are shown as signs, so that nobody can move the cursor, forge a line or hide an instruction.
 */
export function toVisible(text: string, options: Readonly<{ keepLines?: boolean }> = {}): string {
  const shown = text.replace(hazards, toSign);
  return options.keepLines ? shown : shown.replace(/[\t\n]/g, toSign);
}

/** A value as one line of JSON, with what a terminal could execute or hide written as escapes: the same value. */
export function toJsonLine(value: unknown): string {
  return JSON.stringify(value).replace(hazards, (sign) =>
    [...Array(sign.length).keys()].map((index) => `\\u${toHex(sign.charCodeAt(index))}`).join(''),
  );
}

// C0 but tab and line feed, delete, C1, marks and overrides of writing direction, line separators, byte order mark,
// interlinear marks, tags, and halves of surrogate pairs.
const hazards =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

function toSign(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x20) return String.fromCodePoint(0x2400 + point);
  if (point === 0x7f) return '\u2421';
  return `\\u{${point.toString(16)}}`;
}

function toHex(unit: number): string {
  return unit.toString(16).padStart(4, '0');
}
