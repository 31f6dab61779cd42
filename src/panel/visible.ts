/**
 * Text from peers as it may be shown to a person: control characters and the invisible ones that reorder or hide text
 * become signs, so that a name cannot pose as another and a body cannot hide what it says. Line ends and tabs stay.
 */
export function toVisible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(hazards, toSign);
}

/** The same on one line, cut to a length. */
export function toVisibleLine(text: string, charactersMax: number): string {
  // What is left out is not worth looking through: bodies may be long.
  const start = text.slice(0, charactersMax * 2);
  const line = toVisible(start).replace(/\s+/g, ' ').trim();
  const characters = [...line];
  if (characters.length <= charactersMax && start.length === text.length) return line;
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}

// C0 but tab and line feed, delete, C1, soft hyphen, zero-width space, marks and overrides of writing direction, line
// separators, invisible operators, byte order mark, interlinear marks, tags, and halves of surrogate pairs.
const hazards =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

/** Fonts have no pictures of most of these, but everybody has these letters. */
function toSign(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `⟨U+${point.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
