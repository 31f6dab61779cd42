import { describe, expect, test } from 'vitest';
import { proposeLaneName } from '../src/contract/lane-names.ts';
import { laneNamePattern } from '../src/contract/limits.ts';

describe('the name that is proposed for a lane', () => {
  test.each([
    ['feature login', 'feature-login'],
    ['  src/auth/  ', 'src-auth'],
    ['../../etc', 'etc'],
    ['C:\\work\\a.ts', 'C:-work-a.ts'],
    ['Üben', 'Uben'],
    ['deploy', 'deploy'],
  ])('for %j is %j', (wish, name) => {
    expect(proposeLaneName(wish)).toBe(name);
  });

  test.each(['', '..', '修正', '👩‍💻', '/', 'x'.repeat(500), `${'a/'.repeat(200)}b`, '-'])(
    'for %j is a lane name, and the same each time',
    (wish) => {
      expect(proposeLaneName(wish)).toMatch(laneNamePattern);
      expect(proposeLaneName(wish)).toBe(proposeLaneName(wish));
    },
  );

  test('differs for wishes that differ only at their end or in letters that no lane has', () => {
    const long = 'packages/'.repeat(20);
    const wishes = [`${long}a.ts`, `${long}b.ts`, '修正', '追加'];
    expect(new Set(wishes.map(proposeLaneName)).size).toBe(4);
  });
});
