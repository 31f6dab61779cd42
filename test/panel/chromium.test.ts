import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from './chromium.ts';

describe('the browser for the tests', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'browsers-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const names = /for name in (.+); do/
    .exec(readFileSync('.ci/run', 'utf8'))?.[1]
    ?.split(' ')
    .map((name) => [name]) as [string][];

  test.each(names)('is found wherever CI finds %s, which installs none then', (name) => {
    const place = join(folder, name);
    writeFileSync(place, '');
    expect(findChromium({ PATH: ['/nowhere', folder].join(delimiter) })).toBe(place);
    rmSync(place);
  });

  test('is the one that was named, or none', () => {
    const place = join(folder, 'my-browser');
    writeFileSync(place, '');
    expect(findChromium({ CHROME_PATH: place, PATH: '' })).toBe(place);
    expect(findChromium({ CHROME_PATH: join(folder, 'gone'), PATH: process.env.PATH })).toBeUndefined();
  });
});
