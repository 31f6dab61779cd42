import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { commandFile } from '../build.ts';
import { toCall } from './raw-calls.ts';

const opening = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

async function startBus(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/bus`;
}

/** The command as it ships, given all its input at once, as a shell does with `printf … | bus-mcp`. */
async function pipe(
  answer: RequestListener,
  messages: readonly object[],
  { readAfterMilliseconds = 0 }: Readonly<{ readAfterMilliseconds?: number }> = {},
) {
  const env = { PATH: process.env.PATH ?? '', BUS_MCP_BASE_URL: await startBus(answer) };
  const child = spawn(process.execPath, [commandFile], { env });
  const [ended, closed] = [once(child, 'exit'), once(child, 'close')];
  child.stdin.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const endedAt = performance.now();
  await sleep(readAfterMilliseconds);
  let [output, errorOutput] = ['', ''];
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errorOutput += chunk));
  const [status] = await ended;
  const seconds = (performance.now() - endedAt) / 1000;
  await closed;
  const lines = output.split('\n');
  expect(lines.pop()).toBe('');
  return { status, seconds, errorOutput, answers: lines.map((line) => JSON.parse(line)) };
}

describe('input that ends right behind a call', () => {
  it('is answered to its end, and what it asked for is done', async () => {
    const asked: string[] = [];
    const answer: RequestListener = (request, response) => {
      asked.push(request.url ?? '');
      setTimeout(() => response.end('{"ok":true,"decision":"claim"}'), 100);
    };
    const claim = toCall('claim_lane', { lane: 'docs', owner: 'ada' });
    const { answers, errorOutput, status } = await pipe(answer, [opening, claim]);
    expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
    expect(answers.map(({ id }) => id)).toEqual([0, 1]);
    expect(answers[1].result.structuredContent).toMatchObject({ ok: true, decision: 'claim' });
    expect(asked).toEqual(['/api/bus/agents/join', '/api/bus/lanes/docs/claim']);
  });

  it('is not waited for longer than about a second', async () => {
    const post = toCall('post_message', { topic: 't', sender: 'ada', body: 'b' });
    const { answers, seconds, status } = await pipe(() => {}, [opening, post]);
    expect(status).toBe(0);
    expect(answers.map(({ id }) => id)).toEqual([0]);
    expect(seconds).toBeLessThan(4);
  });

  it('has its large answers read to the end by a reader who takes its time', async () => {
    const note = 'x'.repeat(300_000);
    const answer: RequestListener = (_, response) => response.end(JSON.stringify({ note }));
    const status = toCall('get_bus_status', {});
    const messages = [opening, status, { ...status, id: 2 }, { ...status, id: 3 }];
    const { answers } = await pipe(answer, messages, { readAfterMilliseconds: 800 });
    // The three are asked at once, and JSON-RPC promises no order of their answers.
    expect(answers.map(({ id }) => id).sort()).toEqual([0, 1, 2, 3]);
    for (const { result } of answers.slice(1))
      expect(result.structuredContent.note.startsWith(note)).toBe(true);
  });
});
