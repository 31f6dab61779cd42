import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { StdioClientTransport as TransportOfV2 } from '@modelcontextprotocol/client/stdio';
import { StdioClientTransport as TransportOfV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFixedIdentity } from '../../src/mcp/identity.ts';
import { serveMcpOverStdio } from '../../src/mcp/stdio/entry.ts';
import { useFolder } from '../folder.ts';
import { createScriptedBus } from './scripted-bus.ts';
import { type ClientKind, clientKinds, connectClient } from './sessions.ts';

const folder = useFolder();
let script: string;
let callsFile: string;
let fileCount = 0;
const children: ChildProcess[] = [];

beforeAll(async () => {
  script = join(folder, 'server.mjs');
  const entry = new URL('stdio-server.ts', import.meta.url).pathname;
  await build({
    entryPoints: [entry],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
});

function toEnvironment(more: Record<string, string> = {}): Record<string, string> {
  fileCount += 1;
  callsFile = join(folder, `calls-${fileCount}.txt`);
  return { PATH: process.env.PATH ?? '', CALLS_FILE: callsFile, ...more };
}

async function readCalls(): Promise<string[]> {
  const text = await readFile(callsFile, 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean);
}

/** A session spoken by hand, where every byte of stdout is seen. */
function openRaw(more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [script], { env: toEnvironment(more) });
  children.push(child);
  const lines: string[] = [];
  const answers = new Map<number, { result?: Record<string, unknown>; error?: unknown }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const message = JSON.parse(line);
    if (message.id !== undefined) answers.set(message.id, message);
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let id = 0;
  const ask = (method: string, params: object = {}) => {
    id += 1;
    const asked = id;
    send({ id: asked, method, params });
    return vi.waitUntil(() => answers.get(asked), { timeout: 5000, interval: 5 });
  };
  const initialize = () =>
    ask('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'raw', version: '1' },
    });
  const call = (name: string, given: object) => ask('tools/call', { name, arguments: given });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, lines, send, ask, initialize, call, ended, stderr: () => stderr };
}

describe.each(clientKinds)('%s, over a real process', (kind: ClientKind) => {
  it('opens a session, calls a tool, and leaves no process behind', async () => {
    const Transport = kind === 'SDK v1' ? TransportOfV1 : TransportOfV2;
    const transport = new Transport({ command: process.execPath, args: [script], env: toEnvironment() });
    const session = await connectClient(kind, transport);
    const { pid } = transport;
    const result = await session.call('claim_lane', { lane: 'docs', keep_alive: true });
    expect(result.structuredContent).toMatchObject({ ok: true });
    await session.close();
    expect(await readCalls()).toEqual(['claim docs', 'release docs']);
    await vi.waitFor(() => expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH'));
  });
});

describe('the end of a session', () => {
  type Raw = ReturnType<typeof openRaw>;
  const ends: [string, (raw: Raw) => unknown][] = [
    ['stdin ends', ({ child }) => child.stdin.end()],
    ['SIGTERM', ({ child }) => child.kill('SIGTERM')],
    ['SIGINT', ({ child }) => child.kill('SIGINT')],
    ['SIGHUP', ({ child }) => child.kill('SIGHUP')],
    [
      'nobody reads stdout',
      ({ child, send }) => {
        child.stdout.destroy();
        send({ id: 99, method: 'tools/list' });
      },
    ],
  ];

  it.each(ends)('%s: gives back what is kept, leaves the rest, and exits within a second', async (_, end) => {
    const raw = openRaw();
    await raw.initialize();
    await raw.call('claim_lane', { lane: 'kept', keep_alive: true });
    await raw.call('claim_lane', { lane: 'plain' });
    raw.send({
      id: 50,
      method: 'tools/call',
      params: { name: 'read_messages', arguments: { since_id: 0, wait_s: 300 } },
    });
    await vi.waitFor(async () => expect(await readCalls()).toContain('read '));
    const endedAt = Date.now();
    end(raw);
    expect(await raw.ended).toEqual([0, null]);
    expect(Date.now() - endedAt).toBeLessThan(1_000);
    expect(await readCalls()).toEqual(['claim kept', 'claim plain', 'read ', 'release kept']);
  });
});

describe('calls under way when stdin ends', () => {
  const toLines = (...messages: readonly object[]) =>
    messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join('');
  const toToolCall = (id: number, name: string, given: object) => ({
    id,
    method: 'tools/call',
    params: { name, arguments: given },
  });

  it('are answered, and what they claimed is given back after that', async () => {
    const raw = openRaw({ SLOW_MS: '200' });
    await raw.initialize();
    raw.child.stdin.end(
      toLines(
        toToolCall(51, 'claim_lane', { lane: 'docs', keep_alive: true }),
        toToolCall(52, 'post_message', { topic: 't', body: 'slow' }),
        toToolCall(53, 'read_messages', { since_id: 0, wait_s: 300 }),
      ),
    );
    expect(await raw.ended).toEqual([0, null]);
    const answered = raw.lines.map((line) => JSON.parse(line));
    expect(answered.map(({ id }) => id)).toEqual([1, 51, 52]);
    expect(answered[2].result.structuredContent).toMatchObject({ ok: true });
    expect(await readCalls()).toEqual(['claim docs', 'post ', 'read ', 'posted ', 'release docs']);
  });

  it('are left after about a second, and one that was cancelled at once', async () => {
    const raw = openRaw({ SLOW_MS: '60000' });
    await raw.initialize();
    await raw.call('claim_lane', { lane: 'docs', keep_alive: true });
    const endedAt = Date.now();
    const post = { topic: 't', body: 'slow' };
    raw.child.stdin.end(toLines(toToolCall(51, 'post_message', post)));
    expect(await raw.ended).toEqual([0, null]);
    expect(Date.now() - endedAt).toBeGreaterThan(700);
    expect(Date.now() - endedAt).toBeLessThan(2_500);
    expect((await readCalls()).at(-1)).toBe('release docs');

    const other = openRaw({ SLOW_MS: '60000' });
    await other.initialize();
    const cancelledAt = Date.now();
    const cancelling = { method: 'notifications/cancelled', params: { requestId: 51 } };
    other.child.stdin.end(toLines(toToolCall(51, 'post_message', post), cancelling));
    expect(await other.ended).toEqual([0, null]);
    expect(Date.now() - cancelledAt).toBeLessThan(700);
  });
});

describe('the stdio server', () => {
  it('tells of a lost lane with the next result of any tool, once', async () => {
    const raw = openRaw({ LEASE_S: '0.03' });
    await raw.initialize();
    await raw.call('claim_lane', { lane: 'docs', keep_alive: true });
    await vi.waitFor(async () => expect(await readCalls()).toContain('heartbeat docs'));
    const [first, second] = [await raw.call('get_bus_status', {}), await raw.call('get_bus_status', {})];
    expect(first.result?.structuredContent).toMatchObject({ ok: true, lost_lanes: ['docs'] });
    expect(second.result?.structuredContent).not.toHaveProperty('lost_lanes');
    raw.child.stdin.end();
    await raw.ended;
    expect(await readCalls()).toEqual(['claim docs', 'heartbeat docs']);
  });

  it('writes protocol to stdout and nothing else, whatever comes in', async () => {
    const raw = openRaw();
    raw.child.stdin.write('this is no JSON\n\n[]\n{"jsonrpc":"2.0"}\n');
    await raw.initialize();
    await raw.call('claim_lane', { lane: '../etc' });
    expect((await raw.call('no_such_tool', {})).error).toMatchObject({ code: -32602 });
    expect((await raw.ask('no/such/method')).error).toMatchObject({ code: -32601 });
    raw.child.stdin.end();
    expect(await raw.ended).toEqual([0, null]);
    expect(raw.lines).toHaveLength(7);
    for (const line of raw.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    expect(raw.stderr()).not.toContain('    at ');
  });

  it('says in one sentence that a line was no message', async () => {
    const raw = openRaw();
    await raw.initialize();
    raw.child.stdin.write('hello\n');
    await raw.ask('ping');
    expect(raw.stderr()).toMatch(/^a line of the client was refused: [^\n]*; it begins "hello"\n$/);
    raw.child.stdin.end();
    await raw.ended;
  });

  it.each([[[]], ['text'], [5]])('refuses %j as arguments in its own words', async (given) => {
    const raw = openRaw();
    await raw.initialize();
    const { error, result } = await raw.call('get_bus_status', given as never);
    expect(error).toBeUndefined();
    expect(result).toMatchObject({
      isError: true,
      structuredContent: {
        ok: false,
        error: {
          type: 'invalid_arguments',
          message: '[get_bus_status] invalid input: arguments must be a JSON object',
          tool: 'get_bus_status',
        },
      },
    });
    expect((await raw.call('no_such_tool', given as never)).error).toMatchObject({ code: -32602 });
    raw.child.stdin.end();
    await raw.ended;
  });

  it('refuses a choice of tools that do not exist before it reads a word', async () => {
    const { bus } = createScriptedBus();
    const options = {
      bus,
      identity: createFixedIdentity('a'),
      version: '1',
      log: () => {},
      input: new PassThrough(),
    };
    const serving = serveMcpOverStdio({ ...options, toolNames: ['claim_lanes'] });
    await expect(serving).rejects.toThrow('no such tool: claim_lanes');
  });

  it('does not touch the bus before a tool is called', async () => {
    const raw = openRaw();
    await raw.initialize();
    await raw.ask('tools/list');
    raw.child.stdin.end();
    await raw.ended;
    expect(await readCalls()).toEqual([]);
  });
});
