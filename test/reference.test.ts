import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toDeclarations } from '../scripts/declarations.ts';
import { toReference } from '../scripts/reference.ts';

test('docs/reference.md says what the contract declares: run npm run generate after a change', () => {
  expect(read('docs/reference.md')).toBe(toReference());
});

test('types/operations.d.ts says what the contract declares: run npm run generate after a change', () => {
  expect(read('types/operations.d.ts')).toBe(toDeclarations());
});

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}
