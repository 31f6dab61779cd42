import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { importFile } from '../../src/care/import.ts';
import { noProgress } from '../../src/care/progress.ts';
import { nothingCounted } from '../../src/store/counting.ts';
import { openSink, openSource } from '../../src/store/open-transfer.ts';
import { type CopiedKind, copiedKinds, type Row } from '../../src/store/schema.ts';
import { createUnshow, type ShownField, shownFieldsOf } from '../../src/store/shown.ts';
import { createFolder } from '../folder.ts';
import { createTestSchema } from '../suite/postgres.ts';
import { toText } from './export-stage.ts';
import { withBus } from './stage.ts';

/** A row with a value in every field that callers are shown, as the schema declares it. */
function toFullRow<Kind extends CopiedKind>(kind: Kind, given: Record<string, unknown> = {}): Row<Kind> {
  const shown = shownFieldsOf(kind).map((field) => [field.name, toValue(field)] as const);
  return createUnshow(kind)({ ...Object.fromEntries(shown), ...given });
}

function toValue({ name, column }: ShownField): unknown {
  // A lease ends after it began.
  if (name === 'expires_at') return '2026-01-02T03:05:05.000Z';
  const values = { time: '2026-01-02T03:04:05.000Z', flag: true, integer: 1, json: ['a', 'b'] };
  return (values as Readonly<Record<string, unknown>>)[column.type] ?? 'ada';
}

const posted = { id: 1, kind: 'message_posted', ts: toFullRow('messages').ts, messageId: 1 } as const;
const rows = {
  messages: [toFullRow('messages')],
  events: [posted, toFullRow('events', { id: 2, kind: 'lane_claimed' })],
  lanes: [toFullRow('lanes')],
} as const;

const counters = {
  ...nothingCounted,
  lastMessageId: 1,
  lastEventId: 2,
  messageCount: 1,
  clockMilliseconds: Date.parse('2026-01-02T03:04:05.000Z'),
};

async function readAll(store: string): Promise<object> {
  const source = await openSource(store);
  const found: Record<string, readonly object[]> = {};
  for (const kind of Object.keys(rows) as (keyof typeof rows)[])
    for await (const page of source.readPages(kind)) found[kind] = [...(found[kind] ?? []), ...page];
  await source.close();
  return found;
}

test('every field of every kind that is exported survives export, import and export', async () => {
  const folder = createFolder();
  const place = await createTestSchema();
  onTestFinished(place.remove);
  const first = join(folder, 'first.db');
  const sink = await openSink(first);
  for (const [kind, some] of Object.entries(rows)) await sink.write(kind as CopiedKind, some as never);
  await sink.commit(counters, []);
  await sink.close();
  expect(await readAll(first)).toEqual(rows);

  const text = await withBus(first, toText);
  const file = join(folder, 'export.jsonl');
  writeFileSync(file, text);
  for (const store of [join(folder, 'second.db'), place.url]) {
    await importFile({ file, store }, noProgress);
    expect(await readAll(store)).toEqual(rows);
    expect(await withBus(store, toText)).toBe(text);
  }
});

// An export is the log and who holds what; the others are of use to the bus that made them, and a copy has them.
test('what is copied and not exported is known', () => {
  expect(copiedKinds.filter((kind) => !(kind in rows))).toEqual(['agents', 'sessions', 'stems', 'answers']);
});
