import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startBusServer } from '../../src/app/compose.ts';
import { limits } from '../../src/contract/limits.ts';
import { writerFile } from '../build.ts';
import { createFolder } from '../folder.ts';
import { refusalOf, waitUntil } from '../suite/ask.ts';
import { createScriptedBus, startServer } from './fixtures.ts';

const hint = ': status-changed\n\n';

/** A bus as it is served, with one stream open, as a reader that knows hints sees it. */
async function openStream() {
  const folder = createFolder();
  const { bus, listening, close } = await startBusServer({
    store: join(folder, 'bus.db'),
    writerFile,
    host: '127.0.0.1',
    port: 0,
    log: { info() {}, warn() {}, error: (data, message) => console.error(message, data) },
  });
  onTestFinished(async () => {
    await close();
  });
  await bus.claimLane({ lane: 'feeds', owner: 'ada' });
  const gone = new AbortController();
  onTestFinished(() => gone.abort());
  const response = await fetch(`${listening.url}/api/bus/events`, {
    headers: { accept: 'text/event-stream' },
    signal: gone.signal,
  });
  const stream = { text: '' };
  const hints = () => stream.text.split(hint).length - 1;
  void read(response, stream).catch(() => {});
  await waitUntil(() => stream.text.includes('id: 1\n\n'));
  return { bus, stream, hints };
}

async function read(response: Response, stream: { text: string }): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of response.body as ReadableStream<Uint8Array>)
    stream.text += decoder.decode(chunk, { stream: true });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, limits.streamHintMilliseconds + 100));

test('a renewed lease and those who come and go in a queue are hinted at, without an event', async () => {
  const { bus, stream, hints } = await openStream();
  await bus.heartbeatLane({ lane: 'feeds', owner: 'ada' });
  await waitUntil(() => hints() === 1);
  const gone = new AbortController();
  const claim = bus.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 }, { signal: gone.signal });
  await waitUntil(() => hints() >= 2);
  await pause();
  const before = hints();
  gone.abort();
  await expect(claim).rejects.toThrow();
  await waitUntil(() => hints() > before);
  expect(stream.text).not.toContain('event:');
});

test('posts and refused claims are not', async () => {
  const { bus, stream, hints } = await openStream();
  await refusalOf(bus.claimLane({ lane: 'feeds', owner: 'bob' }));
  await bus.postMessage({ topic: 'plan', sender: 'ada', body: 'hello' });
  await waitUntil(() => stream.text.includes('message_posted'));
  await pause();
  expect(hints()).toBe(0);
});

test('many changes at once are hinted at once, and once more', async () => {
  const { bus, hints } = await openStream();
  for (let count = 0; count < 20; count += 1) await bus.heartbeatLane({ lane: 'feeds', owner: 'ada' });
  await pause();
  expect(hints()).toBeGreaterThanOrEqual(1);
  expect(hints()).toBeLessThan(20);
});

test('nobody looks for changes while no stream is open', async () => {
  let listeners = 0;
  const { baseUrl } = await startServer({
    bus: createScriptedBus({
      getBusStatus: () => ({ _meta: { last_event_id: 0 } }),
      readEvents: () => ({ events: [], cursor: 0 }),
    }),
    onQuietChange: () => {
      listeners += 1;
      return () => {
        listeners -= 1;
      };
    },
  });
  const open = async () => {
    const gone = new AbortController();
    await fetch(`${baseUrl}/events`, { headers: { accept: 'text/event-stream' }, signal: gone.signal });
    return gone;
  };
  expect(listeners).toBe(0);
  const [first, second] = [await open(), await open()];
  expect(listeners).toBe(1);
  first.abort();
  second.abort();
  await waitUntil(() => listeners === 0);
  const third = await open();
  expect(listeners).toBe(1);
  third.abort();
  await waitUntil(() => listeners === 0);
});
