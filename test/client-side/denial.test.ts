import { expect, test } from 'vitest';
import { toDenial } from '../../src/client-side/denial.ts';

const row = { path: 'src/parser.ts', lane: 'parser', owner: 'claude-2', expires_in_s: 118 };

test('a denial names the file, the holder, what it does, how long still, and the next step', () => {
  expect(toDenial([{ ...row, note: 'rewriting the parser' }])).toBe(
    `src/parser.ts is held by 'claude-2' for 118 s more: "rewriting the parser". Wait: claim_lane(lane="parser", paths=["src/parser.ts"], wait_s=45), ask 'claude-2', or leave that file.`,
  );
});

test('a denial is one line of at most 300 characters, whatever the parts of it are', () => {
  for (const length of [1, 40, 100, 128, 256, 500])
    for (const notes of [undefined, 'n'.repeat(length), `a\nb\u202e"c"`]) {
      const line = toDenial([
        {
          path: `src/${'p'.repeat(Math.min(length, 250))}`,
          lane: 'l'.repeat(Math.min(length, 128)),
          owner: 'o'.repeat(Math.min(length, 200)),
          expires_in_s: length,
          note: notes,
        },
      ]);
      expect(line.length).toBeLessThanOrEqual(300);
      expect(line).not.toMatch(/[\n\u202e]/);
      expect(line).toContain('is held by');
      if (length <= 100) expect(line).toContain('wait_s=45');
    }
});

test('a denial counts the other files that are held, each once', () => {
  const line = toDenial([row, { ...row, lane: 'other' }, { ...row, path: 'b' }, { ...row, path: 'c' }]);
  expect(line).toContain('(2 more files are held too)');
  expect(toDenial([])).toBe('');
});
