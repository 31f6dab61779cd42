import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportBus } from '../../src/care/export.ts';
import { importFile } from '../../src/care/import.ts';
import type { Progress } from '../../src/care/progress.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { createFolder } from '../folder.ts';
import { fillBus, withBus } from './stage.ts';

/** The stages in order, with the last that was said of each. */
function watch() {
  const stages = new Map<string, readonly [number, number | undefined]>();
  const progress: Progress = {
    report: (stage, done, total) => void stages.set(stage, [done, total]),
    end: () => {},
  };
  return { progress, stages };
}

test('long actions say how far they are, and of how much', async () => {
  const folder = createFolder();
  let text = '';
  const exporting = watch();
  await withBus(join(folder, 'from.db'), async (bus) => {
    await fillBus(bus);
    const write = async (part: string) => {
      text += part;
    };
    const options = { bus, format: 'jsonl', write, toJson: JSON.stringify, now: new Date() } as const;
    await exportBus(options, exporting.progress);
  });
  expect(Object.fromEntries(exporting.stages)).toEqual({
    'exporting messages': [4, 4],
    'exporting events': [9, 9],
  });

  const file = join(folder, 'all.jsonl');
  writeFileSync(file, text);
  const importing = watch();
  const store = join(folder, 'into.db');
  await importFile({ file, store }, importing.progress);
  expect(Object.fromEntries(importing.stages)).toEqual({
    'reading the export, in kB': [3, 3],
    'checking messages': [4, 4],
    'checking events': [9, 9],
    'checking lanes': [2, undefined],
    'copying messages': [4, 4],
    'copying events': [9, 9],
    'copying lanes': [2, undefined],
    'comparing messages': [4, 4],
    'comparing events': [9, 9],
    'comparing lanes': [2, 2],
  });

  const verifying = watch();
  await verifyStore(store, verifying.progress);
  expect([...verifying.stages.keys()][0]).toMatch(/^checking \d+ pages of the file$/);
});
