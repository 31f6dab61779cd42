import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toReference } from '../scripts/reference.ts';

test('docs/reference.md says what the contract declares: run npm run generate after a change', () => {
  const committed = readFileSync(new URL('../docs/reference.md', import.meta.url), 'utf8');
  expect(committed).toBe(toReference());
});
