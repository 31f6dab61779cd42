import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importFile } from '../../src/care/import.ts';
import { noProgress } from '../../src/care/progress.ts';
import { readTextLines } from '../../src/care/text-lines.ts';
import { createFolder } from '../folder.ts';
import { createExport } from './export-stage.ts';
import { withBus } from './stage.ts';

describe('import takes no line that the API would refuse, and names it', () => {
  test.each([
    ['a lane that leaves its folder', '"lane":"held"', '"lane":"../x"', /line 2 of .* has a wrong lane: it /],
    [
      'a long sender',
      '"sender":"ada"',
      `"sender":"${'a'.repeat(201)}"`,
      /wrong sender: it must have at most 200/,
    ],
    ['an owner with NUL', '"owner":"ada"', '"owner":"a\\u0000"', /wrong owner: it must not contain NUL/],
    ['a long body', /"body":"3: /, `"body":"${'b'.repeat(65_537)}`, /wrong body: it must have at most 65536/],
    [
      'half of a surrogate pair',
      /"body":"3: /,
      '"body":"\\ud834',
      /wrong body: it must not contain NUL or half/,
    ],
    [
      'a last id near 2^53',
      /"last_message_id":6/,
      '"last_message_id":9007199254740991',
      /wrong last_message_id/,
    ],
    ['a last id beyond 2^53', /"last_event_id":\d+/, '"last_event_id":1e300', /wrong last_event_id/],
    ['a fence near 2^53', '"fence":1', '"fence":9007199254740990', /has a wrong fence/],
    [
      'a time beyond any date',
      /"expires_at":"[^"]+"/,
      '"expires_at":"+275760-09-13T00:00:00Z"',
      /its expires_at is/,
    ],
    ['a line that is no object', /^\{"type":"message"/m, '7\n{"type":"message"', /must be a JSON object/],
  ])('%s', async (_, from, to, sentence) => {
    const { folder, file } = await createExport();
    const text = readFileSync(file, 'utf8');
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    writeFileSync(file, changed);
    const store = join(folder, 'new.db');
    await expect(importFile({ file, store }, noProgress)).rejects.toThrow(sentence);
    expect(existsSync(store)).toBe(false);
  });

  test('each of them, up to a number', async () => {
    const { folder, file } = await createExport();
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/"sender":"ada"/g, '"sender":""'));
    const importing = importFile({ file, store: join(folder, 'new.db') }, noProgress);
    await expect(importing).rejects.toThrow(/line 3 of .*; line 4 of .*; line 5 of .*; line 6 of /);
  });
});

test('import takes a file with a byte order mark and line ends of Windows', async () => {
  const { folder, file } = await createExport();
  writeFileSync(file, `\ufeff${readFileSync(file, 'utf8').replaceAll('\n', '\r\n')}`);
  const store = join(folder, 'new.db');
  expect((await importFile({ file, store }, noProgress)).rows.messages).toBe(4);
  await withBus(store, async (bus) => expect((await bus.readMessages({})).messages).toHaveLength(4));
});

describe('a file is read line by line', () => {
  async function readAll(bytes: Uint8Array | string) {
    const path = join(createFolder(), 'lines.txt');
    writeFileSync(path, bytes);
    let bytesSeen = 0;
    const lines: string[] = [];
    const see = (bytes: number) => {
      bytesSeen = bytes;
    };
    const ended = (async () => {
      for await (const { text } of readTextLines(path, see)) lines.push(text);
    })();
    return { ended, lines, bytesSeen: () => bytesSeen };
  }

  test('also where a character lies across two reads, and the last line has no end', async () => {
    const wide = `x${'界'.repeat(30_000)}`;
    const { ended, lines } = await readAll(`${wide}\n\n${wide}`);
    await ended;
    expect(lines).toEqual([wide, '', wide]);
  });

  test('and no further than a line that is longer than any that a bus writes', async () => {
    const { ended, bytesSeen } = await readAll(Buffer.alloc(60_000_000, 'a'));
    await expect(ended).rejects.toThrow(/^line 1 of .* has more than 1048576 characters/);
    expect(bytesSeen()).toBeLessThan(2_000_000);
  });

  test('and text that is no UTF-8 is refused, never changed', async () => {
    const { ended } = await readAll(Buffer.from([0x61, 0x0a, 0xff, 0x0a]));
    await expect(ended).rejects.toThrow('is not UTF-8');
  });
});
