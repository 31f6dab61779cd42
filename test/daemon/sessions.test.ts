import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/http/client.ts';
import { commandFile } from '../build.ts';
import { createHome, type Home, waitUntil } from './machine.ts';

let home: Home;
let watcher: Client | undefined;

beforeEach(() => {
  home = createHome();
});

afterEach(async () => {
  await watcher?.close();
  watcher = undefined;
  await home.remove();
});

/** The MCP server that ships, as a client starts it: over stdio, with nothing set and no bus running. */
async function openSession(agentId: string) {
  const child = spawn(process.execPath, [commandFile], {
    env: { ...home.environment, BUS_MCP_AGENT_ID: agentId },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const answers = new Map<number, { result: { structuredContent: Record<string, unknown> } }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    answers.set(message.id, message);
  });
  let count = 0;
  const ask = (method: string, params: object) => {
    count += 1;
    const id = count;
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return waitUntil(() => answers.get(id));
  };
  const clientInfo = { name: 'test', version: '1' };
  await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  return {
    child,
    ended: once(child, 'exit'),
    async claim(lane: string, more: object) {
      const { result } = await ask('tools/call', { name: 'claim_lane', arguments: { lane, ...more } });
      expect(result.structuredContent).toMatchObject({ ok: true, agent_id: agentId });
    },
  };
}

function watch(): Client {
  watcher ??= createClient({ baseUrl: home.address()?.baseUrl ?? '' });
  return watcher;
}

describe('the end of an MCP session', () => {
  type Session = Awaited<ReturnType<typeof openSession>>;
  const ends: [string, (session: Session) => unknown][] = [
    ['its client closes stdin', ({ child }) => child.stdin.end()],
    ['SIGTERM', ({ child }) => child.kill('SIGTERM')],
    ['SIGHUP', ({ child }) => child.kill('SIGHUP')],
    ['SIGINT', ({ child }) => child.kill('SIGINT')],
  ];

  it.each(ends)('by %s gives its kept lanes to the next within a second, and no other', async (_, end) => {
    const session = await openSession('ada');
    await session.claim('kept', { keep_alive: true, lease_s: 600 });
    await session.claim('plain', { lease_s: 600 });
    const granted = watch().claimLane({ lane: 'kept', owner: 'eve', wait_s: 20 });
    const endedAt = performance.now();
    end(session);
    expect(await granted).toMatchObject({ decision: 'claim', lane: { owner: 'eve' } });
    expect(performance.now() - endedAt).toBeLessThan(1_000);
    expect(await session.ended).toEqual([0, null]);
    expect(await watch().getLane({ lane: 'plain' })).toMatchObject({ state: 'held', lane: { owner: 'ada' } });
  });

  it('by SIGKILL leaves the lane until its short lease is over, and not longer', async () => {
    const session = await openSession('ada');
    await session.claim('kept', { keep_alive: true, lease_s: 2 });
    await session.claim('short-by-itself', { keep_alive: true });
    session.child.kill('SIGKILL');
    await session.ended;
    const { state, lane } = await watch().getLane({ lane: 'kept' });
    expect({ state, owner: lane.owner }).toEqual({ state: 'held', owner: 'ada' });
    expect((await watch().getLane({ lane: 'short-by-itself' })).lane.lease_s).toBe(60);
    const granted = await watch().claimLane({ lane: 'kept', owner: 'eve', wait_s: 20 });
    expect(granted.decision).toBe('steal');
    expect(Date.parse(granted.lane.claimed_at)).toBeGreaterThanOrEqual(Date.parse(lane.expires_at ?? ''));
    expect(Date.parse(granted.lane.claimed_at)).toBeLessThan(Date.parse(lane.expires_at ?? '') + 500);
  });

  it('leaves the bus to the others', async () => {
    const [ada, eve] = await Promise.all([openSession('ada'), openSession('eve')]);
    await Promise.all([ada.claim('docs', { keep_alive: true }), eve.claim('tests', { keep_alive: true })]);
    const buses = home.buses();
    expect(buses).toHaveLength(1);
    ada.child.kill('SIGKILL');
    eve.child.stdin.end();
    await Promise.all([ada.ended, eve.ended]);
    expect(home.buses()).toEqual(buses);
  });
});
