import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readOwnIdentity } from '../../src/daemon/processes.ts';
import { commandFile } from '../build.ts';
import { hooksFolder, sessionId, startBus } from './stage.ts';

/** The line of a client's program that starts the MCP server, or a hook, with its own input and output. */
const client = `
  const { spawn } = require('node:child_process');
  spawn(process.argv[1], process.argv.slice(2), { stdio: 'inherit' }).on('exit', () => process.exit());
`;
const asAnotherClient = [process.execPath, '-e', client];
/** The shell stays between the client and what it runs. */
const throughShell = ['sh', '-c', '"$@"; exit $?', 'sh'];

type Stage = Awaited<ReturnType<typeof startBus>>;

/** An MCP server that this process starts, as a client does, with a lane that it claimed without naming an owner. */
async function openServer(
  { env }: Stage,
  lane: string,
  { through = [] as readonly string[], more = {} as NodeJS.ProcessEnv } = {},
) {
  const [program = '', ...parameters] = [...through, process.execPath, commandFile];
  const child = spawn(program, parameters, {
    env: { PATH: process.env.PATH, ...env, ...more },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => end(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const send = async (id: number, method: string, params: object) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return JSON.parse((await lines.next()).value).result;
  };
  const clientInfo = { name: 'test', version: '1' };
  await send(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  await send(2, 'tools/call', { name: 'claim_lane', arguments: { lane } });
  return { close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

/** The hook that this process runs when a session ends, as a client does: through a shell. */
async function endSession({ env }: Stage, through = throughShell, more: NodeJS.ProcessEnv = {}) {
  const script = join(hooksFolder, 'session-end.mjs');
  const [program = '', ...parameters] = [...through, process.execPath, script, 'claude-code'];
  const child = spawn(program, parameters, {
    env: { PATH: process.env.PATH, ...env, ...more },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ session_id: sessionId }));
  expect(await once(child, 'exit')).toEqual([0, null]);
}

async function heldLanes({ bus }: Stage): Promise<string[]> {
  return (await bus.listLanes({})).lanes.map(({ lane }) => lane);
}

/** Elsewhere the parents of a process are not known without starting another program. */
const isKnown = process.platform === 'linux' || process.platform === 'darwin';

// skipped: on Windows a hook does not find the server of its client, as hooks/README.md says.
describe.runIf(isKnown)('lanes claimed without an owner, where no agent id is set', () => {
  it('are released with the session, while the server of the same client still runs', async () => {
    const stage = await startBus();
    await openServer(stage, 'docs');
    await endSession(stage);
    expect(await heldLanes(stage)).toEqual([]);
  });

  it('are released also when the client has ended its server first', async () => {
    const stage = await startBus();
    const server = await openServer(stage, 'docs');
    await server.close();
    expect(await heldLanes(stage)).toEqual(['docs']);
    await endSession(stage);
    expect(await heldLanes(stage)).toEqual([]);
    expect(readdirSync(join(stage.stateFolder, '..', 'sessions'))).toEqual([]);
  });

  it('are found through the shells that stand between client and server', async () => {
    const stage = await startBus();
    await openServer(stage, 'docs', { through: throughShell });
    await endSession(stage, []);
    expect(await heldLanes(stage)).toEqual([]);
  });

  it('are left to another client, below this one too', async () => {
    const stage = await startBus();
    await openServer(stage, 'docs', { through: asAnotherClient });
    await openServer(stage, 'api');
    await endSession(stage, asAnotherClient);
    expect(await heldLanes(stage)).toEqual(['api', 'docs']);
    await endSession(stage);
    expect(await heldLanes(stage)).toEqual(['docs']);
  });

  it('are left when the client has several servers, and nobody can tell whose session ended', async () => {
    const stage = await startBus();
    const first = await openServer(stage, 'docs');
    await openServer(stage, 'api');
    await endSession(stage);
    expect(await heldLanes(stage)).toEqual(['api', 'docs']);
    await first.close();
    await endSession(stage);
    expect(await heldLanes(stage)).toEqual(['api']);
  });

  it('are left where an agent id is set, which other sessions may share', async () => {
    const stage = await startBus();
    await openServer(stage, 'docs', { more: { BUS_MCP_AGENT_ID: 'ada' } });
    await endSession(stage);
    expect(await heldLanes(stage)).toEqual(['docs']);
    expect(existsSync(join(stage.stateFolder, '..', 'sessions'))).toBe(false);
  });

  it('leave no mark behind for long: the next server takes those of dead ones away', async () => {
    const stage = await startBus();
    const folder = join(stage.stateFolder, '..', 'sessions');
    mkdirSync(folder, { recursive: true });
    const here = readOwnIdentity();
    const gone = { ...here, processId: 4_194_302 };
    const elsewhere = { ...here, processMark: 'another machine 12' };
    const write = (name: string, mark: object) =>
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ agentId: name, ...mark }));
    write('of-a-client-that-is-gone', { server: gone, client: gone });
    write('of-this-client', { server: gone, client: here });
    write('of-another-machine', { server: elsewhere, client: elsewhere });
    writeFileSync(join(folder, 'no-mark.json'), '{');
    await openServer(stage, 'docs');
    const names = readdirSync(folder).filter((name) => !name.startsWith('session_'));
    expect(names).toEqual(['no-mark.json', 'of-another-machine.json']);
    await endSession(stage);
    expect(await heldLanes(stage)).toEqual([]);
  });
});
