/** How many colours the style sheet tells owners apart by. */
const hueCount = 10;

const hues = new Map<string, number>();

/**
 * The colour of an owner, the same on every visit as far as possible: their name picks it, and only while another
 * owner on the page has it already does the next free one take its place. Names stand beside colours everywhere.
 */
export function toHue(owner: string): string {
  const known = hues.get(owner);
  if (known !== undefined) return String(known);
  const taken = new Set(hues.size < hueCount ? hues.values() : []);
  let hue = toNumber(owner) % hueCount;
  while (taken.has(hue)) hue = (hue + 1) % hueCount;
  hues.set(owner, hue);
  return String(hue);
}

function toNumber(text: string): number {
  let number = 7;
  for (const character of text) number = (number * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return number;
}
