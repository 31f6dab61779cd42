import { laneNamePattern, limits } from './limits.ts';

/** What is wrong with the name of a lane, with the name to use instead. */
export function toLaneNameFault(wish: unknown): string {
  const rule = `must be letters, digits, '.', '_', ':', '-' (a letter or digit first, at most ${limits.laneNameCharactersMax})`;
  return typeof wish === 'string' && wish !== '' ? `${rule}; try '${proposeLaneName(wish)}'` : rule;
}

/**
 * Proposes a lane name for what somebody typed, such as a path or a branch. The same text always gives the same
 * name, so two agents that are refused end up in the same lane.
 */
export function proposeLaneName(wish: string): string {
  if (laneNamePattern.test(wish)) return wish;
  const name = wish
    .normalize('NFKD')
    .replace(/\p{Mark}+/gu, '')
    .replace(/[^A-Za-z0-9._:-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '');
  if (name === '') return `lane-${toDigest(wish)}`;
  const { laneNameCharactersMax } = limits;
  if (name.length <= laneNameCharactersMax) return name;
  // Long paths often begin alike, so include a digest of the whole text.
  return `${name.slice(0, laneNameCharactersMax - 9)}-${toDigest(wish)}`;
}

/** FNV-1a: short, the same everywhere, and good enough to tell apart what people type. */
function toDigest(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
