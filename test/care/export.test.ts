import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { importFile } from '../../src/care/import.ts';
import { noProgress } from '../../src/care/progress.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { createFolder } from '../folder.ts';
import { postMany } from '../suite/ask.ts';
import { createTestSchema } from '../suite/postgres.ts';
import { createExport, toText } from './export-stage.ts';
import { contentOf, fillBus, withBus } from './stage.ts';

describe('an export', () => {
  test('has one JSON object a line, and says at both ends what it is', async () => {
    const { file } = await createExport();
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ type: 'export', format: 1, last_message_id: 6, last_event_id: 11 });
    expect(lines.at(-1)).toEqual({ type: 'end', messages: 4, events: 9, lanes: 1 });
    expect(lines.filter(({ type }) => type === 'message').map(({ id }) => id)).toEqual([3, 4, 5, 6]);
  });

  test('goes on over pages, and ends where the log ended when it began', async () => {
    const folder = createFolder();
    await withBus(join(folder, 'bus.db'), async (bus) => {
      await Promise.all(Array.from({ length: 1_203 }, () => postMany(bus, 1)));
      let pages = 0;
      const text = await toText(bus, {
        topic: 'log',
        format: 'csv',
        write: async () => {
          pages += 1;
          await postMany(bus, 1);
        },
      });
      expect(text).toBe('');
      expect(pages).toBe(4);
      const count = (await toText(bus))
        .split('\n')
        .filter((line) => line.includes('"type":"message"')).length;
      expect(count).toBe(1_203 + 4);
    });
  });

  test('of one topic has the messages of that topic and nothing else', async () => {
    const folder = createFolder();
    await withBus(join(folder, 'bus.db'), async (bus) => {
      await fillBus(bus);
      const lines = (await toText(bus, { topic: 'news' }))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines.map(({ type, id }) => [type, id])).toEqual([
        ['export', undefined],
        ['message', 4],
        ['message', 6],
        ['end', undefined],
      ]);
    });
  });

  test('for a spreadsheet quotes what needs it, and runs nothing', async () => {
    const folder = createFolder();
    await withBus(join(folder, 'bus.db'), async (bus) => {
      await bus.postMessage({
        topic: 'a,b',
        sender: '@ada',
        body: '=HYPERLINK("http://x")\nline',
        action_flag: true,
      });
      const [heading, ...rest] = (await toText(bus, { format: 'csv' })).split('\r\n');
      expect(heading).toBe('id,ts,topic,sender,action_flag,acknowledged_by,acknowledged_at,body');
      expect(rest.join('').replace(/\d{4}-[^,]+Z/, 'TS')).toBe(
        `1,TS,"a,b",'@ada,true,,,"'=HYPERLINK(""http://x"")\nline"`,
      );
    });
  });
});

describe('import', () => {
  test('keeps ids, times, senders, acknowledgements, lanes and events, in either store', async () => {
    const { folder, file, content } = await createExport();
    const place = await createTestSchema();
    onTestFinished(place.remove);
    for (const store of [join(folder, 'new.db'), place.url]) {
      const { rows } = await importFile({ file, store }, noProgress);
      expect(rows).toEqual({
        messages: 4,
        events: 9,
        lanes: 2,
        answers: 0,
        agents: 0,
        sessions: 0,
        stems: 0,
      });
      expect((await verifyStore(store, noProgress)).checks.filter(({ ok }) => !ok)).toEqual([]);
      await withBus(store, async (bus) => {
        expect(await contentOf(bus)).toEqual(content);
        expect(await bus.postMessage({ topic: 't', sender: 's', body: 'on' })).toMatchObject({ id: 7 });
        expect((await bus.claimLane({ lane: 'free', owner: 'eve' })).lane.fence).toBe(2);
      });
    }
  });

  test('keeps when a lease ran out that somebody cleared', async () => {
    const { folder, file } = await createExport();
    const told = '"kind":"lane_released","previous_expires_at":"2026-01-02T03:04:05.000Z"';
    writeFileSync(file, readFileSync(file, 'utf8').replace('"kind":"lane_released"', told));
    const store = join(folder, 'new.db');
    await importFile({ file, store }, noProgress);
    const { events } = await withBus(store, contentOf);
    expect(events.find(({ kind }) => kind === 'lane_released')).toMatchObject({
      previous_expires_at: '2026-01-02T03:04:05.000Z',
    });
  });

  test('takes what an empty bus exports', async () => {
    const { folder, file } = await createExport(async () => {});
    const store = join(folder, 'new.db');
    await importFile({ file, store }, noProgress);
    expect((await verifyStore(store, noProgress)).ok).toBe(true);
  });

  test('refuses a store in which anything was ever kept', async () => {
    const { folder, file } = await createExport();
    const store = join(folder, 'used.db');
    await withBus(store, (bus) => postMany(bus, 1));
    await expect(importFile({ file, store }, noProgress)).rejects.toThrow('is not empty');
    expect((await withBus(store, contentOf)).messages).toHaveLength(1);
  });

  test('goes on above what an earlier database of that name handed out', async () => {
    const { folder, file } = await createExport();
    const store = join(folder, 'again.db');
    await withBus(store, (bus) => postMany(bus, 20));
    rmSync(store);
    await importFile({ file, store }, noProgress);
    await withBus(store, async (bus) => {
      expect(await bus.postMessage({ topic: 't', sender: 's', body: 'on' })).toMatchObject({ id: 21 });
    });
  });

  const spoil: readonly (readonly [string, (lines: string[]) => string[], RegExp])[] = [
    ['was cut short', (lines) => lines.slice(0, -1), /is not whole, its last line is missing/],
    [
      'was cut in the middle of a line',
      (lines) => [...lines.slice(0, 3), (lines[3] ?? '').slice(0, 20)],
      /line 4 of .* is no JSON/,
    ],
    [
      'lacks a message',
      (lines) => lines.filter((line) => !line.includes('"id":4,"topic"')),
      /counts other lines than there are/,
    ],
    [
      'has its messages in another order',
      (lines) => lines.toSpliced(2, 2, lines[3] ?? '', lines[2] ?? ''),
      /out of order/,
    ],
    [
      'lacks a field',
      (lines) => lines.map((line) => line.replace('"sender":"ada",', '')),
      /its sender is missing or wrong/,
    ],
    [
      'is of one topic',
      (lines) => lines.with(0, (lines[0] ?? '').replace('}', ',"topic":"news"}')),
      /export without --topic/,
    ],
    [
      'is of a later format',
      (lines) => lines.with(0, (lines[0] ?? '').replace('"format":1', '"format":2')),
      /has format 2, and this bus-mcp knows 1/,
    ],
    ['begins with something else', (lines) => lines.slice(1), /is not the beginning of an export/],
    [
      'contradicts itself',
      (lines) => lines.map((line) => line.replace('"message_id":6', '"message_id":60')),
      /contradicts itself/,
    ],
  ];
  test.each(spoil)('refuses a file that %s, and keeps nothing', async (_, change, sentence) => {
    const { folder, file } = await createExport();
    writeFileSync(file, `${change(readFileSync(file, 'utf8').trimEnd().split('\n')).join('\n')}\n`);
    const store = join(folder, 'new.db');
    await expect(importFile({ file, store }, noProgress)).rejects.toThrow(sentence);
    expect((await withBus(store, contentOf)).counts.last_event_id).toBe(0);
  });
});
