import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** A folder of its own for a test, gone afterwards. */
export function createFolder(): string {
  const { folder, remove } = makeFolder();
  onTestFinished(remove);
  return folder;
}

/** A folder for all tests of a file, or of the describe block that it is called in. */
export function useFolder(): string {
  const { folder, remove } = makeFolder();
  afterAll(remove);
  return folder;
}

function makeFolder() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bus-test-')));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
