import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/http/client.ts';
import { createHome, type Home } from './machine.ts';
import { startMcpServer } from './mcp-server.ts';

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

function openSession(agentId: string) {
  const { child, ended, call } = startMcpServer(home, { BUS_MCP_AGENT_ID: agentId });
  return {
    child,
    ended,
    async claim(lane: string, more: object) {
      expect(await call('claim_lane', { lane, ...more })).toMatchObject({
        ok: true,
        lane: { owner: agentId },
      });
    },
  };
}

function watch(): Client {
  watcher ??= createClient({ baseUrl: home.address()?.baseUrl ?? '' });
  return watcher;
}

describe('the end of an MCP session', () => {
  type Session = ReturnType<typeof openSession>;
  const ends: [string, (session: Session) => unknown][] = [
    ['its client closes stdin', ({ child }) => child.stdin.end()],
    ['SIGTERM', ({ child }) => child.kill('SIGTERM')],
    ['SIGHUP', ({ child }) => child.kill('SIGHUP')],
    ['SIGINT', ({ child }) => child.kill('SIGINT')],
  ];

  it.each(ends)('by %s gives its kept lanes to the next within a second, and no other', async (_, end) => {
    const session = openSession('ada');
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
    const session = openSession('ada');
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
    const [ada, eve] = [openSession('ada'), openSession('eve')];
    await Promise.all([ada.claim('docs', { keep_alive: true }), eve.claim('tests', { keep_alive: true })]);
    const buses = home.buses();
    expect(buses).toHaveLength(1);
    ada.child.kill('SIGKILL');
    eve.child.stdin.end();
    await Promise.all([ada.ended, eve.ended]);
    expect(home.buses()).toEqual(buses);
  });
});
