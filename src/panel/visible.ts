/**
 * Text from peers as it may be shown to a person: control characters and the invisible ones that reorder or hide text
 * become signs, so that a body cannot hide what it says. Line ends and tabs stay, and so does what is invisible by itself
 * but shapes an emoji, or a script that is written with it.
 */
export function toVisible(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(hiddenInText, (found, wanted: string | undefined) => wanted ?? toSign(found));
}

/** The same on one line, cut to a length. */
export function toVisibleLine(text: string, charactersMax: number): string {
  // What is left out is not worth looking through: bodies may be long.
  const start = text.slice(0, charactersMax * 2);
  const line = toVisible(start).replace(/\s+/g, ' ').trim();
  return cut(line, charactersMax, start.length < text.length);
}

/** A name as it may be shown: whatever nobody would see in it is a sign, so that it cannot pose as another. */
export function toVisibleName(name: string): string {
  return name.replace(hiddenInName, toSign);
}

/** The same, cut to a length. */
export function toShortName(name: string, charactersMax: number): string {
  return cut(toVisibleName(name), charactersMax, false);
}

/** The same cut in its middle: names that begin alike mostly end differently. */
export function toBothEnds(name: string, charactersMax: number): string {
  const characters = [...toVisibleName(name)];
  if (characters.length <= charactersMax) return characters.join('');
  const end = Math.floor((charactersMax - 1) / 2);
  const start = charactersMax - 1 - end;
  return `${characters.slice(0, start).join('')}…${characters.slice(-end).join('')}`;
}

function cut(text: string, charactersMax: number, goesOn: boolean): string {
  const characters = [...text];
  if (characters.length <= charactersMax && !goesOn) return text;
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}

// Delete and C1, line separators, the blank of Braille, interlinear marks, halves of surrogate pairs, and all that
// Unicode calls ignorable: soft hyphens, joiners, marks of writing direction, fillers, variation selectors, tags.
const hidden =
  '\\u007f-\\u009f\\u2028\\u2029\\u2800\\ufff9-\\ufffb\\p{Default_Ignorable_Code_Point}\\p{Surrogate}';
const pictograph = '\\p{Extended_Pictographic}(?:[\\ufe0e\\ufe0f]|\\p{Emoji_Modifier})?';
const emoji = `${pictograph}(?:\\u200d${pictograph})*|[0-9#*]\\ufe0f\\u20e3`;
/** Scripts whose letters a joiner shapes. */
const joinedScripts = 'Arab Syrc Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr'
  .split(' ')
  .map((script) => `\\p{Script=${script}}`)
  .join('');

const hiddenInText = new RegExp(
  `(${emoji}|(?<=[${joinedScripts}])[\\u200c\\u200d])|[\\u0000-\\u0008\\u000b-\\u001f${hidden}]`,
  'gu',
);
/** Also every blank but a single space between two words. */
const hiddenInName = new RegExp(`[\\u0000-\\u001f${hidden}]|(?! )\\p{Z}|^ | $|(?<= ) `, 'gu');

/** Fonts have no pictures of most of these, but everybody has these letters. */
function toSign(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `⟨U+${point.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
