import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { startBus } from '../bus-process.ts';
import { ask, post } from '../http/fixtures.ts';
import { until } from '../suite/ask.ts';

type Line = { text: string; isClosed: boolean; readonly socket: net.Socket };

/** A connection that sends these bytes, and goes on a byte at a time or stops reading. */
function open(port: number, bytes: string, then: 'trickle' | 'stop reading'): Line {
  const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
  const line: Line = { text: '', isClosed: false, socket };
  const trickle = then === 'trickle' ? setInterval(() => socket.write('x'), 500) : undefined;
  if (then === 'stop reading') socket.pause();
  else
    socket.on('data', (chunk) => {
      line.text += chunk;
    });
  socket.on('error', () => {});
  socket.on('close', () => {
    clearInterval(trickle);
    line.isClosed = true;
  });
  onTestFinished(() => void socket.destroy());
  return line;
}

const many = (count: number, make: () => Line) => Array.from({ length: count }, make);

test('hundreds of slow senders and readers hold up nobody else, and are cut off', async () => {
  const bus = await startBus();
  const body = 'y'.repeat(60_000);
  for (let count = 0; count < 10; count += 1) {
    await Promise.all(
      Array.from({ length: 30 }, () => post(bus.port, '/api/bus/message', { topic: 't', sender: 's', body })),
    );
  }
  const head = 'POST /api/bus/message HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  const page = 'GET /api/bus/messages?limit=500 HTTP/1.1\r\nhost: localhost\r\n\r\n';
  const stream =
    'GET /api/bus/events?since=0 HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n';
  const headers = many(150, () => open(bus.port, `${head}x-slow: `, 'trickle'));
  const bodies = many(150, () => open(bus.port, `${head}content-length: 500000\r\n\r\n{`, 'trickle'));
  const readers = [
    // More pages than the buffers of the system have room for.
    ...many(20, () => open(bus.port, page.repeat(10), 'stop reading')),
    ...many(20, () => open(bus.port, stream, 'stop reading')),
  ];
  await pause(500);
  for (let count = 0; count < 100; count += 1) {
    const answers = await Promise.all([
      post(bus.port, '/api/bus/message', { topic: 't', sender: 's', body: 'quick' }),
      ask(bus.port, 'GET', '/api/bus/messages?limit=1'),
      ask(bus.port, 'GET', '/healthz'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  }
  expect(bus.residentBytes()).toBeLessThan(700 * 1024 * 1024);
  const secondsMax = limits.headerSecondsMax + 10;
  await until('slow headers are refused', () => headers.every(({ isClosed }) => isClosed), secondsMax);
  for (const { text } of headers) expect(text).toMatch(/^HTTP\/1\.1 408 /);
  const connections = async () => {
    const { text } = await ask(bus.port, 'GET', '/metrics');
    return Number(/nodejs_active_resources\{type="TCPSocketWrap"\} (\d+)/.exec(text)?.[1]);
  };
  await until(
    'the others are cut off too',
    async () => (await connections()) <= 5,
    limits.requestSecondsMax + 15,
  );
  for (const { text } of bodies) expect(text).toMatch(/^HTTP\/1\.1 (408|503) /);
  for (const { socket } of readers) socket.resume();
  await until('the readers see their end', () => readers.every(({ isClosed }) => isClosed), 20);
}, 120_000);

test('long pages that nobody takes neither hold up the bus nor fill its memory, whichever way they are asked for', async () => {
  const bus = await startBus();
  // Of what JSON writes longest, also once more within quotes.
  const body = '\u0001"'.repeat(limits.bodyCharactersMax / 2);
  for (let count = 0; count < 10; count += 1) {
    await Promise.all(
      Array.from({ length: 30 }, () => post(bus.port, '/api/bus/message', { topic: 't', sender: 's', body })),
    );
  }
  const call = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'read_messages', arguments: { limit: 500 } },
  });
  const asTool = `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ${call.length}\r\n\r\n${call}`;
  const asPage = 'GET /api/bus/messages?limit=500 HTTP/1.1\r\nhost: localhost\r\n\r\n';
  let slowest = 0;
  for (let count = 0; count < 10; count += 1) {
    many(20, () => open(bus.port, asTool, 'stop reading'));
    many(20, () => open(bus.port, asPage, 'stop reading'));
    const startedAt = performance.now();
    expect((await ask(bus.port, 'GET', '/healthz')).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - startedAt);
    expect(bus.residentBytes()).toBeLessThan(900 * 1024 * 1024);
    await pause(100);
  }
  // It once was silent for more than half a minute.
  expect(slowest).toBeLessThan(10_000);
}, 60_000);

test('a content type that is nothing but blanks is refused at once', async () => {
  const bus = await startBus();
  const type = `application/json${' '.repeat(15_000)}x`;
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => post(bus.port, '/api/bus/message', {}, { 'content-type': type })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([422]));
  // It once took a fifth of a second of the whole bus for each.
  expect(performance.now() - startedAt).toBeLessThan(3_000);
});
