import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fill } from '../../src/care/fill.ts';
import { noProgress } from '../../src/care/progress.ts';
import { openSink, openSource } from '../../src/store/open-transfer.ts';
import type { RowSink } from '../../src/store/transfer.ts';
import { createFolder } from '../folder.ts';
import { contentOf, fillBus, withBus } from './stage.ts';

test.each([
  [
    'a changed row',
    (rows: readonly object[]) => rows.map((row) => ('body' in row ? { ...row, body: 'other' } : row)),
  ],
  ['a row that is missing', (rows: readonly object[]) => rows.slice(1)],
])('a copy with %s is found out, and nothing of it is kept', async (_, spoil) => {
  const folder = createFolder();
  const [from, to] = [join(folder, 'from.db'), join(folder, 'to.db')];
  await withBus(from, fillBus);
  const source = await openSource(from);
  const sink = await openSink(to);
  const write: RowSink['write'] = (table, rows) =>
    sink.write(table, table === 'messages' ? (spoil(rows) as unknown as typeof rows) : rows);
  await expect(fill(source, { ...sink, write }, noProgress)).rejects.toThrow('messages in');
  await sink.close();
  await source.close();
  expect((await withBus(to, contentOf)).counts.last_message_id).toBe(0);
});
