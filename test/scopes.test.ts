import { describe, expect, test } from 'vitest';
import { covers, overlaps } from '../src/bus/scopes.ts';
import { createWorld, findWitness, type World } from './scopes/world.ts';

/** Pairs that other tools for globs get wrong, and the plain cases beside them. */
const pairs: readonly (readonly [a: string, b: string, isOverlap: boolean, why: string])[] = [
  ['src/*.ts', 'src/a*', true, 'src/a.ts fits both'],
  ['src/*.ts', 'src/a*.js', false, 'no name ends both ways'],
  ['src/a*b', 'src/*ab', true, 'src/ab fits both: a star may stand for nothing'],
  ['src/ab*', 'src/*ba', true, 'src/aba fits both'],
  ['src/a*c*e', 'src/*b*d*e', true, 'the middles stand one after the other'],
  ['src/ab*', 'src/ac*', false, 'the beginnings differ'],
  ['app/[slug]/page.tsx', 'app/[slug]/page.tsx', true, 'brackets are no class'],
  ['app/[slug]/page.tsx', 'app/s/page.tsx', false, 'brackets are no class'],
  ['app/(group)/page.tsx', 'app/group/page.tsx', false, 'parentheses are no group'],
  ['src/{a,b}.ts', 'src/a.ts', false, 'braces are no choice'],
  ['src/{a,b}.ts', 'src/{a,b}.ts', true, 'braces are characters'],
  ['src/@x', 'src/@x/y', true, 'a path covers what lies beneath'],
  ['src', 'srcfoo', false, 'segments are compared whole'],
  ['src', 'src/parser/lexer.ts', true, 'a folder covers what lies in it'],
  ['src/parser', 'src/lexer', false, 'siblings'],
  ['src/**', 'src', true, 'two stars may stand for no segment'],
  ['src/**/x.ts', 'src/x.ts', true, 'in the middle too'],
  ['src/**/x.ts', 'src/a/b/x.ts', true, 'or for many'],
  ['src/**/x.ts', 'src/a/b/y.ts', true, 'y.ts could be a folder that has an x.ts'],
  ['src/**/x.ts', 'test/**/x.ts', false, 'the beginnings differ'],
  ['a/**/b', '**/c', true, 'a/b/c lies beneath a/b'],
  ['**', 'anything/at/all', true, 'everything'],
  ['*', 'src/a.ts', true, 'a star is one segment, and what lies beneath'],
  ['*/a', 'b', true, 'b covers b/a'],
  ['*/*', 'src', true, 'src covers src/x'],
  ['SRC/Parser.ts', 'src/parser.TS', true, 'case is ignored'],
  ['src/ΑΣ', 'src/ασ', true, 'also that of a sigma at the end of a word'],
  ['src/caf\u0065\u0301', 'src/caf\u00e9', true, 'an accent has two forms'],
  ['src/e*', 'src/\u00e9.ts', false, 'a letter with an accent is another letter'],
  ['src/a**b', 'src/axyb', true, 'stars inside a segment are one star'],
  ['src/a b.ts', 'src/a b.ts', true, 'blanks are characters'],
];

describe('two scopes', () => {
  test.each(pairs)('%s and %s: overlap is %s, since %s', (a, b, isOverlap) => {
    expect(overlaps(a, b)).toBe(isOverlap);
    expect(overlaps(b, a)).toBe(isOverlap);
  });

  test.each([...new Set(pairs.map(([a]) => a))])('%s overlaps itself', (scope) => {
    expect(overlaps(scope, scope)).toBe(true);
  });
});

describe('a scope and a path', () => {
  test.each([
    ['src/parser', 'src/parser', true],
    ['src/parser', 'src/parser/lexer.ts', true],
    ['src/parser/lexer.ts', 'src/parser', false],
    ['src/*', 'src', false],
    ['src/**', 'src', true],
    ['src/**/x', 'src', false],
    ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/a*', false],
    ['src/a*', 'src/a*', true],
    ['**/*.md', 'docs/decisions/0001.MD', true],
    ['*.md', 'docs/a.md', false],
  ])('%s covers %s: %s', (scope, path, isCovered) => {
    expect(covers(scope, path)).toBe(isCovered);
  });
});

describe('200,000 pairs against the paths of a small world', () => {
  const worlds: readonly (readonly [string, World])[] = [
    [
      'names that are long',
      createWorld({
        seed: 1,
        letters: 'abc',
        nameLettersMax: 4,
        pathDepthMax: 2,
        scopeDepthMax: 2,
        kinds: ['name'],
      }),
    ],
    // The shortest path that two of these share is as deep as both together.
    [
      'paths that are deep',
      createWorld({
        seed: 2,
        letters: 'abc',
        nameLettersMax: 1,
        pathDepthMax: 8,
        scopeDepthMax: 4,
        kinds: ['letter', 'any'],
      }),
    ],
  ];

  test.each(worlds)(
    '%s: an overlap is said exactly where a path is covered by both',
    (_, { scopes, paths }) => {
      const wrong: string[] = [];
      let [pairCount, overlapCount] = [0, 0];
      for (const [index, a] of scopes.entries())
        for (const b of scopes.slice(index)) {
          pairCount += 1;
          const said = overlaps(a.text, b.text);
          const witness = findWitness(a, b, paths);
          if (said) overlapCount += 1;
          if (said !== (witness !== undefined) || overlaps(b.text, a.text) !== said)
            wrong.push(`${a.text} and ${b.text}: said ${said}, witness ${witness}`);
        }
      expect(wrong.slice(0, 5)).toEqual([]);
      expect(pairCount).toBeGreaterThanOrEqual(100_000);
      // A world in which nearly all pairs agree would prove little.
      expect(overlapCount / pairCount).toBeGreaterThan(0.1);
      expect(overlapCount / pairCount).toBeLessThan(0.9);
    },
  );

  test.each(worlds)('%s: a path is covered exactly where it fits', (_, { scopes, paths }) => {
    const wrong = scopes
      .slice(0, 150)
      .flatMap(({ text, covered }) =>
        paths
          .filter((path, index) => covers(text, path) !== covered.has(index))
          .map((path) => `${text}: ${path}`),
      );
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});
