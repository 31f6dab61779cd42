import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toOpeningAnswers } from '../../scripts/opening.ts';
import { narrowAnswers } from '../../src/mcp/stdio/narrow.ts';
import { selectTools } from '../../src/mcp/tools.ts';

const request = (id: number, method: string, params: object) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const clientInfo = { name: 'raw', version: '1' };
const initialize = request(1, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo,
});

let folder: string;

/** The command as it ships, but that its prepared answers can be told from those of the server behind them. */
beforeAll(() => {
  mkdirSync('node_modules/.cache', { recursive: true });
  folder = mkdtempSync(resolve('node_modules/.cache/bus-mcp-quick-'));
  cpSync('dist', folder, { recursive: true });
  const file = join(folder, 'opening.json');
  const prepared = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    prepared.replaceAll('Claim a lane', 'Prepared').replaceAll('Read messages', 'Prepared'),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function listTools(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [join(folder, 'bin.js'), ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: folder, BUS_MCP_AUTOSTART: '0', ...environment },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((done) => child.once('close', done));
  child.stdin.write(initialize + request(2, 'tools/list', {}));
  await lines.next();
  const { value } = await lines.next();
  child.stdin.end();
  await ended;
  return JSON.parse(value).result.tools as readonly { name: string; title: string }[];
}

describe('a session is opened from what the build has prepared', () => {
  it.each([
    [['mcp'], {}, 6],
    [['--agent-id', 'ada', '--no-autostart'], {}, 6],
    [['--read-only'], {}, 2],
    [['mcp', '--tools', 'claim_lane,read_messages'], {}, 2],
    [['--read-only', '--tools=claim_lane,read_messages'], {}, 1],
    [[], { BUS_MCP_READ_ONLY: '1' }, 2],
    [['mcp'], { BUS_MCP_TOOLS: 'release_lane, claim_lane' }, 2],
  ])('with %j and %j', async (args, environment, count) => {
    const tools = await listTools(args, environment);
    expect(tools).toHaveLength(count);
    expect(tools.map(({ title }) => title)).toContain('Prepared');
  });

  it.each([
    [['--channel', 'build'], 6],
    [['--', 'mcp'], 6],
  ])('but not with %j', async (args, count) => {
    const tools = await listTools(args);
    expect(tools).toHaveLength(count);
    expect(tools.map(({ title }) => title)).not.toContain('Prepared');
  });
});

describe('the prepared answers of a server that offers less', async () => {
  const answers = await toOpeningAnswers();

  it.each([
    { readOnly: true },
    { toolNames: ['post_message', 'claim_lane'] },
    { readOnly: true, toolNames: ['claim_lane', 'get_bus_status'] },
  ])('are what it would answer itself: %j', (selection) => {
    const narrowed = narrowAnswers(answers, selection);
    const offered = selectTools({ ...selection, keepsAlive: true }).map(({ declaration }) => declaration);
    const { 'tools/list': legacy = '', ...otherLegacy } = narrowed?.legacy ?? {};
    const { 'tools/list': modern = '', ...otherModern } = narrowed?.modern ?? {};
    expect(JSON.parse(legacy)).toEqual({ tools: JSON.parse(JSON.stringify(offered)) });
    expect(JSON.parse(modern)).toEqual({
      ...JSON.parse(answers.modern['tools/list'] ?? ''),
      tools: JSON.parse(JSON.stringify(offered)),
    });
    expect({ ...answers.legacy, ...otherLegacy }).toEqual(answers.legacy);
    expect({ ...answers.modern, ...otherModern }).toEqual(answers.modern);
    expect(narrowed?.initialize).toBe(answers.initialize);
  });

  it.each([{ toolNames: ['claim_lanes', 'claim_lane'] }, { readOnly: true, toolNames: ['claim_lane'] }])(
    'are none for what it would refuse: %j',
    (selection) => {
      expect(narrowAnswers(answers, selection)).toBeUndefined();
    },
  );
});
