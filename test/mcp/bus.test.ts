import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OpenedEngine, openEngine } from '../../src/app/compose.ts';
import { createKeepAlive } from '../../src/mcp/keep-alive.ts';
import { writerFile } from '../build.ts';
import { createTestClock, type TestClock } from '../suite/clock.ts';
import { openSession, type Session } from './sessions.ts';

let folder: string;
let clock: TestClock;
let engine: OpenedEngine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bus-mcp-over-engine-'));
  clock = createTestClock();
  engine = await openEngine({ store: join(folder, 'bus.db'), clockFrom: () => clock, writerFile });
});

afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

/** A session of an agent, with a keep-alive that goes by the clock of the bus. */
async function openAgent(agentId: string) {
  const { bus } = engine;
  const after = (milliseconds: number, callback: () => void) =>
    clock.schedule(clock.now() + milliseconds, callback);
  const keepAlive = createKeepAlive({ bus, timers: { now: clock.now, after }, ceilingSeconds: 3600 });
  const session = await openSession('SDK v2 in the era of 2026', { bus, agentId, keepAlive });
  return { ...session, keepAlive, ask: (...call: Parameters<Session['call']>) => ask(session, ...call) };
}

async function ask(session: Session, ...call: Parameters<Session['call']>) {
  const { structuredContent } = await session.call(...call);
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of the answer.
  return structuredContent as any;
}

describe('agents over a bus', () => {
  it('are refused a lane held by another, and told by whom, for how long, and under which fence', async () => {
    const [ada, eve] = [await openAgent('ada'), await openAgent('eve')];
    await ada.ask('claim_lane', { lane: 'docs', lease_s: 120 });
    const { error } = await eve.ask('claim_lane', { lane: 'docs' });
    expect(error).toMatchObject({ type: 'bus_api_error', status_code: 409, code: 'lane_held' });
    expect(error.data).toMatchObject({ owner: 'ada', expires_in_s: 120, fence: 1 });
    expect(error.message).toContain("[claim_lane] lane 'docs' held by 'ada' (lease 120s remaining)");
  });

  it('wait for a lane, and get it when it comes free', async () => {
    const [ada, eve] = [await openAgent('ada'), await openAgent('eve')];
    await ada.ask('claim_lane', { lane: 'docs' });
    const waiting = eve.ask('claim_lane', { lane: 'docs', wait_s: 60 });
    await vi.waitFor(async () => expect((await ada.ask('get_bus_status')).waiting).toHaveLength(1));
    await ada.ask('release_lane', { lane: 'docs' });
    expect(await waiting).toMatchObject({ ok: true, lane: { owner: 'eve', fence: 2 } });
  });

  it('give up their place by cancelling', async () => {
    const [ada, eve] = [await openAgent('ada'), await openAgent('eve')];
    await ada.ask('claim_lane', { lane: 'docs' });
    const controller = new AbortController();
    const claim = { lane: 'docs', wait_s: 60 };
    const waiting = eve.call('claim_lane', claim, { signal: controller.signal });
    await vi.waitFor(async () => expect((await ada.ask('get_bus_status')).waiting).toHaveLength(1));
    controller.abort();
    await expect(waiting).rejects.toThrow();
    await vi.waitFor(async () => expect((await ada.ask('get_bus_status')).waiting).toEqual([]));
  });

  it('wait for messages, are told when none came, and read on from where they were', async () => {
    const [ada, eve] = [await openAgent('ada'), await openAgent('eve')];
    await ada.ask('post_message', { topic: 'build', body: 'one' });
    const first = await eve.ask('read_messages', { since_id: 0 });
    expect(first).toMatchObject({ messages: [{ body: 'one', sender: 'ada' }], cursor: 1 });

    const inVain = eve.ask('read_messages', { since_id: 1, wait_s: 30 });
    await vi.waitFor(async () => {
      clock.advance(10);
      expect(await Promise.race([inVain, undefined])).toBeDefined();
    });
    expect(await inVain).toMatchObject({ ok: true, messages: [], cursor: 1 });
    expect((await inVain).note).toContain('nothing came in 30 s; to wait on, call again with since_id=1');

    const waiting = eve.ask('read_messages', { since_id: 1, wait_s: 30 });
    await ada.ask('post_message', { topic: 'build', body: 'two' });
    expect(await waiting).toMatchObject({ messages: [{ body: 'two' }], cursor: 2 });
  });
});

describe('keep-alive over a bus', () => {
  async function remainingSeconds(lane: string): Promise<number | undefined> {
    return (await engine.bus.getLane({ lane })).lane.expires_in_s;
  }

  it('holds a lane far beyond its lease, and gives it back at the end of the session', async () => {
    const ada = await openAgent('ada');
    await ada.ask('claim_lane', { lane: 'docs', lease_s: 30, keep_alive: true });
    for (let renewals = 0; renewals < 10; renewals += 1) {
      clock.advance(10);
      await vi.waitFor(async () => {
        clock.advance(0);
        expect(await remainingSeconds('docs')).toBe(30);
      });
    }
    await ada.keepAlive.releaseAll();
    expect(await engine.bus.getLane({ lane: 'docs' })).toMatchObject({ state: 'free', fence: 1 });
  });

  it('tells the agent when another took the lane while this machine slept', async () => {
    const [ada, eve] = [await openAgent('ada'), await openAgent('eve')];
    await ada.ask('claim_lane', { lane: 'docs', lease_s: 30, keep_alive: true });
    clock.advance(1000);
    await eve.ask('claim_lane', { lane: 'docs' });
    const told = await vi.waitUntil(async () => {
      clock.advance(0);
      return (await ada.ask('get_bus_status')).lost_lanes;
    });
    expect(told).toEqual(['docs']);
    await ada.keepAlive.releaseAll();
    expect((await engine.bus.getLane({ lane: 'docs' })).lane.owner).toBe('eve');
  });
});
