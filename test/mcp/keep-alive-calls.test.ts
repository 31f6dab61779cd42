import { describe, expect, it } from 'vitest';
import { lost, open } from './keeping.ts';
import type { createScriptedBus } from './scripted-bus.ts';
import { openSession } from './sessions.ts';

describe('an agent that claims with keep_alive', () => {
  async function openWithAgent(script: Parameters<typeof createScriptedBus>[0] = {}) {
    const parts = open(script);
    const session = await openSession('SDK v2 in the era of 2026', parts);
    await session.call('claim_lane', { lane: 'docs', owner: 'ada', keep_alive: true });
    return { ...parts, session };
  }

  it('need not renew, and the bus is not told of an argument that is not its own', async () => {
    const { clock, calls, count } = await openWithAgent();
    expect(calls[0]?.input).toEqual({ lane: 'docs', owner: 'ada', lease_s: 60 });
    await clock.pass(300);
    expect(count('heartbeatLane')).toBe(15);
  });

  it('gets a short lease unless it names one, so that others wait a minute at most when it is killed', async () => {
    const { calls, session } = await openWithAgent();
    const docs = { lane: 'docs', owner: 'ada' };
    await session.call('heartbeat_lane', docs);
    await session.call('claim_lane', docs);
    await session.call('heartbeat_lane', { ...docs, owner: 'eve' });
    await session.call('claim_lane', { lane: 'site', owner: 'ada' });
    await session.call('claim_lane', { lane: 'long', owner: 'ada', lease_s: 900, keep_alive: true });
    expect(calls.map(({ input }) => input.lease_s)).toEqual([60, 60, 60, undefined, undefined, 900]);
  });

  it('may renew all the same, or claim again without it: the newest lease counts', async () => {
    const { clock, session, count } = await openWithAgent();
    await session.call('heartbeat_lane', { lane: 'docs', owner: 'ada', lease_s: 30 });
    await clock.pass(10);
    expect(count('heartbeatLane')).toBe(2);
    await session.call('claim_lane', { lane: 'docs', owner: 'ada', lease_s: 900 });
    await clock.pass(299);
    expect(count('heartbeatLane')).toBe(2);
    await clock.pass(1);
    expect(count('heartbeatLane')).toBe(3);
  });

  it('ends it by releasing', async () => {
    const { clock, session, keepAlive, count } = await openWithAgent();
    await session.call('release_lane', { lane: 'docs', owner: 'ada' });
    await clock.pass(1000);
    await keepAlive.releaseAll();
    expect(count('heartbeatLane')).toBe(0);
    expect(count('releaseLane')).toBe(1);
  });

  it('hears of a loss with its next result, a refusal included, once', async () => {
    const { clock, session } = await openWithAgent({ heartbeatLane: () => Promise.reject(lost()) });
    await clock.pass(20);
    const refused = await session.call('claim_lane', { lane: '' });
    expect(refused.structuredContent).toMatchObject({ ok: false, lost_lanes: ['docs'] });
    const next = await session.call('get_bus_status');
    expect(next.structuredContent).not.toHaveProperty('lost_lanes');
  });

  it('gets the plain lease when it does not ask for more', async () => {
    const { clock, bus, keepAlive, count } = open();
    const session = await openSession('SDK v1', { bus, keepAlive });
    await session.call('claim_lane', { lane: 'docs', owner: 'ada' });
    await clock.pass(1000);
    await keepAlive.releaseAll();
    expect(count('heartbeatLane') + count('releaseLane')).toBe(0);
  });
});
