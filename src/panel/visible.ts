import { replaceHiddenInName, replaceHiddenInText } from '../contract/hidden.ts';

/**
 * Text from peers as it may be shown to a person: control characters and the invisible ones that reorder or hide text
 * become signs, so that a body cannot hide what it says. Line ends and tabs stay, and so does what is invisible by itself
 * but shapes an emoji, or a script that is written with it.
 */
export function toVisible(text: string): string {
  return replaceHiddenInText(text.replaceAll('\r\n', '\n'), toSign);
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
  return replaceHiddenInName(name, toSign);
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

/** Fonts have no pictures of most of these, but everybody has these letters. */
function toSign(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `⟨U+${point.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
