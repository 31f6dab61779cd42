import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { toOpeningAnswers } from '../../scripts/opening.ts';
import { type OpeningAnswers, openSession } from '../../src/mcp/stdio/opening.ts';
import { commandFile } from '../build.ts';
import { useFolder } from '../folder.ts';

const answers = await toOpeningAnswers();

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const discover = { jsonrpc: '2.0', id: 'd', method: 'server/discover', params: { _meta: meta } };

function toText(...messages: unknown[]): string {
  return messages.map((message) => `${JSON.stringify(message)}\n`).join('');
}

/** A session up to where the server takes over. */
function open(given: OpeningAnswers = answers) {
  const input = new PassThrough();
  const output = new PassThrough();
  const signals = new EventEmitter();
  const lines: { id?: unknown; result?: unknown }[] = [];
  const reader = createInterface({ input: output });
  reader.on('line', (line) => lines.push(JSON.parse(line))).on('error', () => {});
  const opened = openSession({ answers: given, input, output, signals: signals as never });
  return { input, output, signals, lines, opened };
}

describe('the opening of a session', () => {
  it('is answered from what the build prepared, and told to the server when the client pauses', async () => {
    const { input, lines, opened } = open();
    input.write(toText(initialize, initialized, { ...list, params: {} }));
    expect(await opened).toEqual([initialize, initialized, { ...list, params: {} }]);
    expect(lines).toEqual([
      { jsonrpc: '2.0', id: 1, result: JSON.parse(answers.initialize['2025-11-25'] ?? '') },
      { jsonrpc: '2.0', id: 2, result: JSON.parse(answers.legacy['tools/list'] ?? '') },
    ]);
    expect(input.read()).toBeNull();
  });

  it('ends at the first message that was not foreseen, which stays in the input with all behind it', async () => {
    const { input, lines, opened } = open();
    const call = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'get_bus_status' } };
    const text = toText(initialize, call, { ...list, id: 4 });
    input.write(text.slice(0, -5));
    expect(await opened).toEqual([initialize]);
    input.write(text.slice(-5));
    expect(String(input.read())).toBe(toText(call, { ...list, id: 4 }));
    expect(lines).toHaveLength(1);
  });

  it('may come in pieces, also of a character', async () => {
    const { input, lines, opened } = open();
    const client = { name: 'žofie', version: '1' };
    const bytes = Buffer.from(
      toText({ ...initialize, params: { ...initialize.params, clientInfo: client } }, list),
    );
    for (const byte of bytes) input.write(Buffer.from([byte]));
    await opened;
    expect(lines.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('is answered in the later era too', async () => {
    const { input, lines, opened } = open();
    input.write(toText(discover, { ...list, params: { _meta: { ...meta, progressToken: 1 } } }));
    await opened;
    expect(lines.map(({ result }) => result)).toEqual([
      JSON.parse(answers.modern['server/discover'] ?? ''),
      JSON.parse(answers.modern['tools/list'] ?? ''),
    ]);
  });

  it.each([
    ['no JSON', 'hello\n'],
    ['a batch', toText([initialize])],
    ['no JSON-RPC', toText({ ...initialize, jsonrpc: '1.0' })],
    [
      'a version that nobody knows',
      toText({ ...initialize, params: { ...initialize.params, protocolVersion: 'x' } }),
    ],
    ['a client without a name', toText({ ...initialize, params: { ...initialize.params, clientInfo: {} } })],
    ['an id that is none', toText({ ...initialize, id: null })],
    ['a list before the handshake', toText(list)],
    ['a list with more to it', toText({ ...list, params: { _meta: meta, cursor: 'x' } })],
    ['a name that every object is born with', toText({ ...discover, method: 'constructor' })],
    [
      'a capability that is no object',
      toText({ ...initialize, params: { ...initialize.params, capabilities: 1 } }),
    ],
    [
      'another revision',
      toText({
        ...discover,
        params: { _meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } },
      }),
    ],
    ['a line that does not end', 'x'.repeat(70_000)],
  ])('is left to the server if it is %s', async (_, text) => {
    const { input, lines, opened } = open();
    input.write(text);
    expect(await opened).toEqual([]);
    expect(String(input.read())).toBe(text);
    expect(lines).toEqual([]);
  });

  it('is left to the server once a client changes the era', async () => {
    const { input, opened } = open();
    input.write(toText(discover, initialize));
    expect(await opened).toEqual([discover]);
  });

  it.each(['end of input', 'SIGTERM', 'SIGINT', 'broken output'])('is over at %s', async (how) => {
    const { input, output, signals, opened } = open();
    input.write(toText(initialize));
    if (how === 'end of input') input.end();
    else if (how === 'broken output') output.emit('error', new Error('EPIPE'));
    else signals.emit(how);
    expect(await opened).toBe('ended');
    expect(signals.eventNames()).toEqual([]);
  });
});

describe('the command as it ships', () => {
  const home = useFolder();
  const children: ChildProcessWithoutNullStreams[] = [];

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  function start(more: Record<string, string> = {}, args: readonly string[] = []) {
    const environment = { PATH: process.env.PATH ?? '', HOME: home, BUS_MCP_BASE_URL: 'http://127.0.0.1:9' };
    const child = spawn(process.execPath, [commandFile, ...args], { env: { ...environment, ...more } });
    children.push(child);
    const lines: { id?: unknown; result?: Record<string, unknown>; error?: unknown }[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
    let remarks = '';
    child.stderr.on('data', (chunk) => (remarks += chunk));
    const send = (...messages: unknown[]) => child.stdin.write(toText(...messages));
    return { child, lines, send, remarks: () => remarks, ended: once(child, 'exit') };
  }

  const call = {
    jsonrpc: '2.0',
    id: 3,
    method: 'tools/call',
    params: { name: 'get_bus_status', arguments: {} },
  };

  it('carries what the server answers now', async () => {
    const file = new URL('../../dist/opening.json', import.meta.url);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(answers);
  });

  it.each([
    ['at once', 0],
    ['after a pause', 600],
  ])('answers each request once, also when the server has to take over %s', async (_, pause) => {
    const { lines, send, child, ended, remarks } = start();
    send(initialize, initialized, list);
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    send(call, { ...list, id: 4 });
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(3), { timeout: 10_000 });
    expect(lines.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4]);
    const byId = Object.fromEntries(lines.map((line) => [String(line.id), line.result]));
    expect(byId[4]).toEqual(byId[2]);
    expect(byId[3]).toMatchObject({ structuredContent: { error: { type: 'bus_unreachable' } } });
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect(lines).toHaveLength(4);
    expect(remarks()).toBe('');
  });

  it('can be asked in the later era, and fall back to the earlier one', async () => {
    const { lines, send, child, ended } = start();
    send(discover, initialize, initialized, { ...call, id: 5 });
    await vi.waitFor(() => expect(lines).toHaveLength(3), { timeout: 10_000 });
    expect(lines.map(({ id }) => id)).toEqual(['d', 1, 5]);
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
  });

  it('stands where the server would stand that had answered by itself', async () => {
    const { lines, send, child, ended } = start();
    const modernList = { ...list, params: { _meta: meta } };
    send(discover, modernList, { ...initialize, id: 7 });
    await vi.waitFor(() => expect(lines).toHaveLength(3), { timeout: 10_000 });
    // Whoever has asked for more than who is there, in the later era, cannot go back to the earlier.
    expect(lines[2]).toMatchObject({ id: 7, error: { code: -32022 } });
    child.stdin.end();
    await ended;
  });

  it.each([
    ['the client leaves', (child: ChildProcessWithoutNullStreams) => child.stdin.end()],
    ['a signal comes', (child: ChildProcessWithoutNullStreams) => child.kill('SIGTERM')],
  ])('is over at once when %s before anything was asked', async (_, end) => {
    const { lines, send, child, ended } = start();
    send(initialize);
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    end(child);
    expect(await ended).toEqual([0, null]);
  });

  it.each([
    ['BUS_MCP_READ_ONLY', '1', ['read_messages', 'get_bus_status']],
    ['BUS_MCP_TOOLS', 'claim_lane, release_lane', ['claim_lane', 'release_lane']],
  ])('goes by %s', async (name, value, names) => {
    const { lines, send, child, ended } = start({ [name]: value });
    send(initialize, initialized, list);
    await vi.waitFor(() => expect(lines).toHaveLength(2), { timeout: 10_000 });
    const tools = lines[1]?.result?.tools as { name: string }[];
    expect(tools.map((tool) => tool.name)).toEqual(names);
    child.stdin.end();
    await ended;
  });

  it.each([[['--tools', 'claim_lane']], [['--read-only', '--tools=get_bus_status']]])(
    'goes by %j',
    async (args) => {
      const { lines, send, child, ended } = start({}, args);
      send(initialize, initialized, list);
      await vi.waitFor(() => expect(lines).toHaveLength(2), { timeout: 10_000 });
      expect(lines[1]?.result?.tools).toHaveLength(1);
      child.stdin.end();
      await ended;
    },
  );

  it('refuses to start with a choice of tools that do not exist, and names those that do', async () => {
    const { ended, remarks } = start({ BUS_MCP_TOOLS: 'claim_lanes' });
    expect(await ended).toEqual([1, null]);
    expect(remarks()).toMatch(/^no such tool: claim_lanes; choose from post_message, .*\n$/);
  });

  it('tells a malformed setting before anything else, and stops there', async () => {
    const { ended, remarks, lines, send } = start({ BUS_MCP_AGENT_ID: 'x'.repeat(300) });
    send(initialize);
    expect(await ended).toEqual([2, null]);
    expect(remarks()).toMatch(/^BUS_MCP_AGENT_ID must have at most 200 characters, .*\n$/);
    expect(lines).toEqual([]);
  });

  it('goes on with a warning where a setting can be done without', async () => {
    const { ended, remarks, lines, send, child } = start({ BUS_MCP_TIMEOUT_S: 'soon' });
    send(initialize, initialized, list);
    await vi.waitFor(() => expect(lines).toHaveLength(2), { timeout: 10_000 });
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect(remarks()).toContain('BUS_MCP_TIMEOUT_S');
  });
});
