import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backUp } from '../../src/care/backup.ts';
import { createNewFile } from '../../src/care/new-file.ts';
import { noProgress } from '../../src/care/progress.ts';
import { restore } from '../../src/care/restore.ts';
import { createFolder } from '../folder.ts';
import { fillBus, withBus } from './stage.ts';

/** No process has this number: it is beyond what Linux and macOS give. */
const goneProcess = 999_999_999;

function leaveDraft(path: string, name: string | number, ageSeconds: number): string {
  const draft = `${path}.unfinished-${name}`;
  writeFileSync(draft, 'half of it');
  const time = Date.now() / 1000 - ageSeconds;
  utimesSync(draft, time, time);
  return draft;
}

test('what a killed command left unfinished is removed by the next one for the same file', async () => {
  const folder = createFolder();
  const [store, file] = [join(folder, 'bus.db'), join(folder, 'backup.db')];
  await withBus(store, fillBus);
  for (const path of [file, store]) leaveDraft(path, goneProcess, 3_600);
  await backUp({ store, file }, noProgress);
  expect(readdirSync(folder).filter((name) => name.includes('.unfinished'))).toEqual([
    `bus.db.unfinished-${goneProcess}`,
  ]);
  await restore({ store, file, now: new Date() }, noProgress);
  expect(readdirSync(folder).filter((name) => name.includes('.unfinished'))).toEqual([]);
});

test('a draft stays that another process may be writing, and so does what only looks like one', () => {
  const path = join(createFolder(), 'export.jsonl');
  const staying = [
    leaveDraft(path, process.ppid, 3_600),
    leaveDraft(path, goneProcess, 10),
    leaveDraft(path, 'notes', 3_600),
    leaveDraft(`${path}.other`, goneProcess, 3_600),
  ];
  const file = createNewFile(path);
  file.abandon();
  for (const name of staying) expect(existsSync(name), name).toBe(true);
});

test('a link that somebody has planted in the place of a draft is not followed', () => {
  const folder = createFolder();
  const [path, other] = [join(folder, 'export.jsonl'), join(folder, 'thesis.txt')];
  writeFileSync(other, 'years of work');
  symlinkSync(other, `${path}.unfinished-${process.pid}`);
  const file = createNewFile(path);
  file.append('text');
  file.finish();
  expect(readFileSync(path, 'utf8')).toBe('text');
  expect(readFileSync(other, 'utf8')).toBe('years of work');
});

test('a new file makes no folders, as a mistyped name would be a new place', async () => {
  const folder = createFolder();
  const store = join(folder, 'bus.db');
  await withBus(store, fillBus);
  const file = join(folder, 'bakcups', 'monday.db');
  await expect(backUp({ store, file }, noProgress)).rejects.toThrow(
    `there is no folder ${join(folder, 'bakcups')}: make it, or name another file`,
  );
  expect(existsSync(join(folder, 'bakcups'))).toBe(false);
  mkdirSync(join(folder, 'bakcups'));
  expect((await backUp({ store, file }, noProgress)).messages).toBe(4);
});
