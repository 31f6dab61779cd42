import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toDeclarations } from '../scripts/declarations.ts';
import { buildHooks } from '../scripts/hooks.ts';
import { toReference } from '../scripts/reference.ts';

test('docs/reference.md says what the contract declares: run npm run generate after a change', () => {
  expect(read('docs/reference.md')).toBe(toReference());
});

test('types/operations.d.ts says what the contract declares: run npm run generate after a change', () => {
  expect(read('types/operations.d.ts')).toBe(toDeclarations());
});

test('hooks/ holds what src/hooks is built to: run npm run generate after a change', async () => {
  for (const { path, text } of await buildHooks()) expect(readFileSync(path, 'utf8')).toBe(text);
});

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}
