/**
 * All paths over a few letters, and random scopes with the set of those that each covers. What a scope covers is found
 * by a regular expression, which has nothing in common with the code under test.
 */
export type World = Readonly<{ paths: readonly string[]; scopes: readonly WorldScope[] }>;

export type WorldScope = Readonly<{ text: string; covered: BitSet }>;

type Plan = Readonly<{
  seed: number;
  letters: string;
  nameLettersMax: number;
  pathDepthMax: number;
  scopeDepthMax: number;
  /** What a random segment may be: a name of letters and stars, one letter or star, or any number of segments. */
  kinds: readonly ('name' | 'letter' | 'any')[];
}>;

const scopesMax = 450;

export function createWorld(plan: Plan): World {
  const names = toWords([...plan.letters], plan.nameLettersMax, '');
  const paths = toWords(names, plan.pathDepthMax, '/');
  const random = createRandom(plan.seed);
  const texts = new Set<string>();
  for (let tries = 0; texts.size < scopesMax && tries < 100_000; tries += 1) texts.add(toScope(plan, random));
  return { paths, scopes: [...texts].map((text) => ({ text, covered: toCovered(text, paths) })) };
}

/** A path that both cover, if this world has one. */
export function findWitness(a: WorldScope, b: WorldScope, paths: readonly string[]): string | undefined {
  const index = a.covered.firstCommonWith(b.covered);
  return index < 0 ? undefined : paths[index];
}

type BitSet = ReturnType<typeof createBitSet>;

function createBitSet(size: number) {
  const words = new Uint32Array(Math.ceil(size / 32));
  return {
    words,
    add: (index: number) => {
      words[index >> 5] = (words[index >> 5] ?? 0) | (1 << (index & 31));
    },
    has: (index: number) => (((words[index >> 5] ?? 0) >>> (index & 31)) & 1) === 1,
    firstCommonWith: (other: Readonly<{ words: Uint32Array }>): number => {
      for (let place = 0; place < words.length; place += 1) {
        const common = (words[place] ?? 0) & (other.words[place] ?? 0);
        if (common !== 0) return place * 32 + (31 - Math.clz32(common & -common));
      }
      return -1;
    },
  };
}

function toCovered(scope: string, paths: readonly string[]): BitSet {
  const covered = createBitSet(paths.length);
  const pattern = toExpression(scope);
  for (const [index, path] of paths.entries()) if (pattern.test(`${path}/`)) covered.add(index);
  return covered;
}

/** Matches a path, with a slash at its end, that the scope matches or that lies beneath. */
function toExpression(scope: string): RegExp {
  const segments = scope
    .split('/')
    .map((segment) => (segment === '**' ? '(?:[^/]+/)*' : `${segment.replaceAll('*', '[^/]*')}/`));
  return new RegExp(`^${segments.join('')}`);
}

function toWords(parts: readonly string[], countMax: number, separator: string): string[] {
  const words: string[] = [];
  let last = [''];
  for (let count = 1; count <= countMax; count += 1) {
    last = last.flatMap((word) => parts.map((part) => (word === '' ? part : `${word}${separator}${part}`)));
    words.push(...last);
  }
  return words;
}

function toScope({ letters, kinds, scopeDepthMax }: Plan, random: (below: number) => number): string {
  const depth = 1 + random(scopeDepthMax);
  const one = () => {
    const kind = kinds[random(kinds.length)];
    if (kind === 'any') return '**';
    if (kind === 'letter') return `${letters}*`[random(letters.length + 1)] ?? '*';
    return toName(letters, random);
  };
  return Array.from({ length: depth }, one).join('/');
}

/** At most two letters, with stars between them: two such names share one of four letters, or none. */
function toName(letters: string, random: (below: number) => number): string {
  const star = () => (random(2) === 0 ? '*' : '');
  const some = Array.from({ length: 1 + random(2) }, () => `${star()}${letters[random(letters.length)]}`);
  return `${some.join('')}${star()}`;
}

/** Mulberry32: small, and the same everywhere. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
