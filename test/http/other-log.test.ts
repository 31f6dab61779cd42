import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFolder } from '../folder.ts';
import { postMany, waitUntil } from '../suite/ask.ts';
import { openStage } from '../suite/stage.ts';
import { createScriptedBus, startServer } from './fixtures.ts';

/** Everything that the stream says, as it comes. */
async function readStream(url: string, headers: Record<string, string> = {}) {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: end.signal,
  });
  const stream = { text: '' };
  const decoder = new TextDecoder();
  void (async () => {
    for await (const chunk of response.body ?? []) stream.text += decoder.decode(chunk, { stream: true });
  })().catch(() => {});
  return stream;
}

test.each([
  ['Last-Event-ID', '', { 'last-event-id': '999999' }],
  ['since', '?since=999999', {}],
])(
  'a stream after an event that this log has never had starts over, and says so: %s',
  async (_, query, headers) => {
    const folder = createFolder();
    const stage = await openStage(join(folder, 'bus.db'));
    onTestFinished(async () => {
      await stage.close();
    });
    await postMany(stage.engine, 2);
    const { baseUrl } = await startServer({ bus: stage.engine });
    const stream = await readStream(`${baseUrl}/events${query}`, headers);
    await waitUntil(() => stream.text.includes('id: 2\nevent: message_posted\n'));
    expect(stream.text).toMatch(
      /^retry: 1000\n: there is no event 999999 here.*\nid: 0\n\nid: 1\nevent: message_posted\n/,
    );
    await postMany(stage.engine, 1);
    await waitUntil(() => stream.text.includes('id: 3\nevent: message_posted\n'));
  },
);

test('a stream goes on at the beginning of the log that took the place of the one before', async () => {
  const toPage = (id: number) => ({ events: [{ id, kind: 'x', ts: 'now' }], cursor: id, has_more: false });
  const pages = [toPage(7), { events: [], cursor: 0, has_more: true }, toPage(1)];
  const bus = createScriptedBus({ readEvents: () => pages.shift() ?? new Promise(() => {}) });
  const { baseUrl } = await startServer({ bus, keepAliveSeconds: 30 });
  const stream = await readStream(`${baseUrl}/events?since=6`);
  await waitUntil(() => stream.text.includes('id: 1\nevent: x\n'));
  expect(stream.text).toMatch(
    /\nid: 7\nevent: x\n.*\n\n: there is no event 7 here.*\nid: 0\n\nid: 1\nevent: x\n/,
  );
  expect(bus.seen.map(({ input }) => input.since)).toEqual([6, 7, 0, 1]);
});
