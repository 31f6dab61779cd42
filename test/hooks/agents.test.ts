import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { commandFile } from '../build.ts';
import { runCommand } from '../processes.ts';
import { readOwnId, sessionId, startBus } from './stage.ts';

type Stage = Awaited<ReturnType<typeof startBus>>;

/** An MCP server as a client starts it, with the environment that the client gives it. */
async function openServer(
  { env }: Stage,
  clientName: string,
  more: NodeJS.ProcessEnv = {},
  { isModern = false, through = [] as readonly string[] } = {},
) {
  const [program = '', ...words] = [...through, process.execPath, commandFile];
  const child = spawn(program, words, {
    env: { PATH: process.env.PATH, ...env, ...more },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => end(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let id = 0;
  const send = async (method: string, params: object) => {
    id += 1;
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return JSON.parse((await lines.next()).value).result;
  };
  const clientInfo = { name: clientName, version: '1' };
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const opening = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  if (!isModern) await send('initialize', opening);
  return {
    close: () => end(child),
    async call(name: string, given: object = {}, meta: object = {}) {
      const params = { name, arguments: given, _meta: { ...(isModern && envelope), ...meta } };
      return (await send('tools/call', params)).structuredContent;
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

const claude = { CLAUDE_CODE_SESSION_ID: sessionId };

describe('the MCP server, the hooks and the shell of one session', () => {
  it('are one agent, which is told its id once', async () => {
    const stage = await startBus();
    const { call } = await openServer(stage, 'claude-code', claude);
    const claimed = await call('claim_lane', { lane: 'docs' });
    const { you } = claimed;
    expect(you).toMatch(/^claude-\w+$/);
    expect(claimed.lane.owner).toBe(you);
    expect(await call('get_bus_status')).not.toHaveProperty('you');
    expect((await stage.start()).context).toContain(`You are "${you}" here`);
    const shell = { ...stage.env, ...claude };
    const posted = await runCommand(['post', 'plans', 'hi', '--json'], shell);
    expect(JSON.parse(posted.output)).toMatchObject({ sender: you });
    expect((await runCommand(['release', 'docs'], shell)).status).toBe(0);
    expect((await stage.bus.listLanes({})).lanes).toEqual([]);
  });

  it('end together: the lanes of the session and of its subagents are released', async () => {
    const stage = await startBus();
    const server = await openServer(stage, 'claude-code', claude);
    const { you } = await server.call('claim_lane', { lane: 'docs' });
    await server.call('claim_lane', { lane: 'tests', owner: `${you}/tests` });
    await server.close();
    expect((await stage.bus.listLanes({})).lanes).toHaveLength(2);
    await stage.end();
    expect((await stage.bus.listLanes({})).lanes).toEqual([]);
  });

  it('keep their id when the session is resumed', async () => {
    const stage = await startBus();
    const first = await openServer(stage, 'claude-code', claude);
    const other = await openServer(stage, 'claude-code', { CLAUDE_CODE_SESSION_ID: 'other' });
    const { you } = await first.call('get_bus_status');
    expect((await other.call('get_bus_status')).you).not.toBe(you);
    await first.close();
    const resumed = await openServer(stage, 'claude-code', claude);
    expect((await resumed.call('get_bus_status')).you).toBe(you);
  });

  it('hold a lane for a command as a part of the session', async () => {
    const stage = await startBus();
    const held = ['hold', 'docs', '--', process.execPath, '-p', 'process.env.BUS_OWNER'];
    const { output } = await runCommand(held, { ...stage.env, ...claude });
    const own = await readOwnId(stage);
    expect(output.slice(0, own.length + 6)).toBe(`${own}/hold:`);
  });
});

it('is the agent of its client also where the client opens no session, as in the era of 2026', async () => {
  const stage = await startBus();
  const name = 'claude-code';
  const { call } = await openServer(stage, name, claude, { isModern: true });
  expect((await call('get_bus_status')).you).toBe(await readOwnId(stage));
});

describe('sessions that are not one', () => {
  it('get ids of their own from ten servers that start at once and say nothing of their session', async () => {
    const stage = await startBus();
    const servers = await Promise.all(Array.from({ length: 10 }, () => openServer(stage, 'gemini-cli')));
    const answers = await Promise.all(servers.map(({ call }) => call('get_bus_status')));
    const ids = answers.map(({ you }) => you);
    expect(new Set(ids).size).toBe(10);
    for (const id of ids) expect(id).toMatch(/^gemini-\w+$/);
  });

  it('have one id where two servers serve one session', async () => {
    const stage = await startBus();
    const servers = await Promise.all([1, 2].map(() => openServer(stage, 'claude-code', claude)));
    const [one, two] = await Promise.all(servers.map(({ call }) => call('get_bus_status')));
    expect(one.you).toBe(two.you);
  });

  it('are told apart by the thread of each call where one server serves several', async () => {
    const stage = await startBus();
    const { call } = await openServer(stage, 'codex-mcp-client');
    const claim = (lane: string, threadId: string) => call('claim_lane', { lane }, { threadId });
    const [first, second] = [await claim('a', 't1'), await claim('b', 't2')];
    expect([first.lane.owner, second.lane.owner]).toEqual([first.you, second.you]);
    expect(first.you).not.toBe(second.you);
    expect(await claim('a', 't2')).toMatchObject({ ok: false, error: { code: 'lane_held' } });
    expect(await claim('a', 't1')).not.toHaveProperty('you');
  });

  it('stay apart where one client was started from a shell of the other', async () => {
    const stage = await startBus();
    const inner = await openServer(stage, 'codex-mcp-client', claude);
    const outer = await openServer(stage, 'claude-code', { ...claude, CODEX_THREAD_ID: 't1' });
    expect((await inner.call('get_bus_status', {}, { threadId: 't1' })).you).toMatch(/^codex-/);
    expect((await outer.call('get_bus_status')).you).toBe(await readOwnId(stage));
  });

  it('are told of each other when they share an id that somebody set', async () => {
    const stage = await startBus();
    const named = { BUS_MCP_AGENT_ID: 'ada' };
    const [one, two] = [await openServer(stage, 'cursor', named), await openServer(stage, 'cursor', named)];
    expect(await one.call('get_bus_status')).not.toHaveProperty('shared_with');
    const second = await two.call('get_bus_status');
    expect(second).toMatchObject({ you: 'ada', shared_with: [{ client: 'cursor' }] });
  });

  it('leave each with its own lanes, and are listed as gone', async () => {
    const stage = await startBus();
    const own = await openServer(stage, 'claude-code', claude);
    const other = await openServer(stage, 'claude-code', { CLAUDE_CODE_SESSION_ID: 'other' });
    await own.call('claim_lane', { lane: 'a' });
    await other.call('claim_lane', { lane: 'b' });
    await stage.end();
    expect((await stage.bus.listLanes({})).lanes.map(({ lane }) => lane)).toEqual(['b']);
    const { agents } = await stage.bus.listAgents({});
    expect(agents.map(({ agent, state }) => [agent, state])).toEqual([
      ['claude-1', 'left'],
      ['claude-2', 'here'],
    ]);
  });
});

/** As in a container: the server is process 1 of a host called box. */
const inNamespace = ['unshare', '-rpfu', '--mount-proc', 'sh', '-c', 'hostname box; exec "$@"', 'sh'];
const [unshare = '', ...unshareWords] = inNamespace;
const canUnshare = spawnSync(unshare, [...unshareWords, 'true']).status === 0;

// skipped: where the system lets nobody make namespaces, as in some containers and outside Linux.
it.runIf(canUnshare)('two containers with equal host names and process ids are two agents', async () => {
  const stage = await startBus();
  const open = () => openServer(stage, 'gemini-cli', {}, { through: inNamespace });
  const servers = await Promise.all([open(), open()]);
  const answers = await Promise.all(servers.map(({ call }) => call('claim_lane', { lane: 'docs' })));
  expect(new Set(answers.map(({ you }) => you)).size).toBe(2);
  expect(answers.map(({ ok }) => ok).sort()).toEqual([false, true]);
});
