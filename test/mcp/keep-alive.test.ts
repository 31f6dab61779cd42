import { describe, expect, it } from 'vitest';
import { BusUnreachableError, toBusError } from '../../src/contract/errors.ts';
import { createKeepAlive } from '../../src/mcp/keep-alive.ts';
import { createManualClock } from './manual-clock.ts';
import { createScriptedBus, toLane, waitForAbort } from './scripted-bus.ts';
import { openSession } from './sessions.ts';

const grant = { lane: 'docs', owner: 'ada', leaseSeconds: 300, fence: 7 };
const lost = () => toBusError('not_holder', 'not held', { lane: 'docs', owner: null, expires_in_s: 0 });
const unreachable = () => new BusUnreachableError('no bus', 'http://127.0.0.1:1');

function open(script: Parameters<typeof createScriptedBus>[0] = {}, ceilingSeconds = 4 * 3600) {
  const clock = createManualClock();
  const { bus, calls } = createScriptedBus(script);
  const keepAlive = createKeepAlive({ bus, now: clock.now, setTimer: clock.setTimer, ceilingSeconds });
  const count = (name: string) => calls.filter((call) => call.name === name).length;
  return { clock, bus, calls, keepAlive, count };
}

describe('keep-alive', () => {
  it('renews at a third of the lease, again and again, with owner and fence', async () => {
    const { clock, calls, keepAlive } = open();
    keepAlive.keep(grant);
    await clock.pass(99);
    expect(calls).toEqual([]);
    await clock.pass(1);
    expect(calls.map(({ name, input }) => ({ name, input }))).toEqual([
      { name: 'heartbeatLane', input: { lane: 'docs', owner: 'ada', lease_s: 300, fence: 7 } },
    ]);
    await clock.pass(1000);
    expect(calls).toHaveLength(11);
  });

  it('goes by what the bus granted last, not by what was asked', async () => {
    const { clock, keepAlive, count } = open({
      heartbeatLane: () => ({ lease_s: 30, lane: toLane('docs', 'ada', 30) }),
    });
    keepAlive.keep(grant);
    await clock.pass(100);
    expect(count('heartbeatLane')).toBe(1);
    await clock.pass(30);
    expect(count('heartbeatLane')).toBe(4);
  });

  it('measures from the renewal that the agent made itself', async () => {
    const { clock, keepAlive, count } = open();
    keepAlive.keep(grant);
    await clock.pass(90);
    keepAlive.renewed({ ...grant, leaseSeconds: 60 });
    await clock.pass(19);
    expect(count('heartbeatLane')).toBe(0);
    await clock.pass(1);
    expect(count('heartbeatLane')).toBe(1);
  });

  it('lets alone what nobody asked it to keep', async () => {
    const { clock, keepAlive, calls } = open();
    keepAlive.renewed(grant);
    keepAlive.keep({ ...grant, lane: 'site' });
    keepAlive.renewed({ ...grant, lane: 'site', owner: 'eve', leaseSeconds: 3 });
    await clock.pass(99);
    expect(calls).toEqual([]);
  });

  it('ends with the release of the lane', async () => {
    const { clock, keepAlive, count } = open();
    keepAlive.keep(grant);
    expect(await keepAlive.whileReleasing('docs', 'ada', async () => 'free')).toBe('free');
    await clock.pass(10_000);
    expect(count('heartbeatLane')).toBe(0);
    expect(clock.timerCount()).toBe(0);
    expect(keepAlive.takeLost()).toEqual([]);
  });

  it('goes on when the release was refused, for the fence in it may have been the only fault', async () => {
    const { clock, keepAlive, count } = open();
    keepAlive.keep(grant);
    const release = keepAlive.whileReleasing('docs', 'ada', () => Promise.reject(lost()));
    await expect(release).rejects.toThrow('not held');
    await clock.pass(3);
    expect(count('heartbeatLane')).toBe(1);
    await clock.pass(100);
    expect(count('heartbeatLane')).toBe(2);
  });

  it('is not disturbed by somebody releasing under another name', async () => {
    const { clock, keepAlive, count } = open();
    keepAlive.keep(grant);
    await keepAlive.whileReleasing('docs', 'eve', async () => 'free');
    await clock.pass(100);
    expect(count('heartbeatLane')).toBe(1);
  });

  it('rests while the release is under way', async () => {
    let finish = () => {};
    const { clock, keepAlive, count } = open();
    keepAlive.keep(grant);
    const release = keepAlive.whileReleasing('docs', 'ada', () => new Promise<void>((end) => (finish = end)));
    await clock.pass(100);
    expect(count('heartbeatLane')).toBe(0);
    finish();
    await release;
  });

  it.each(['grants', 'refuses'])('does not care what a renewal %s that a release overtook', async (verb) => {
    let answer = () => {};
    const { clock, keepAlive, count } = open({
      heartbeatLane: () =>
        new Promise((resolve, reject) => {
          answer = () => (verb === 'grants' ? resolve({ lease_s: 300 }) : reject(lost()));
        }),
    });
    keepAlive.keep(grant);
    await clock.pass(100);
    await keepAlive.whileReleasing('docs', 'ada', async () => 'free');
    answer();
    await clock.pass(1000);
    expect(keepAlive.takeLost()).toEqual([]);
    expect(count('heartbeatLane')).toBe(1);
    expect(clock.timerCount()).toBe(0);
  });
});

describe('a lost lane', () => {
  it('is named once when the bus refuses the renewal, and renewed no more', async () => {
    const { clock, keepAlive, count } = open({ heartbeatLane: () => Promise.reject(lost()) });
    keepAlive.keep(grant);
    await clock.pass(1000);
    expect(count('heartbeatLane')).toBe(1);
    expect(keepAlive.takeLost()).toEqual(['docs']);
    expect(keepAlive.takeLost()).toEqual([]);
  });

  it('is one whose bus cannot be reached until the lease is over, after many attempts', async () => {
    const { clock, keepAlive, count } = open({ heartbeatLane: () => Promise.reject(unreachable()) });
    keepAlive.keep(grant);
    await clock.pass(299);
    expect(keepAlive.takeLost()).toEqual([]);
    expect(count('heartbeatLane')).toBe(67);
    await clock.pass(1);
    expect(keepAlive.takeLost()).toEqual(['docs']);
    const attempts = count('heartbeatLane');
    await clock.pass(1000);
    expect(count('heartbeatLane')).toBe(attempts);
  });

  it('is one whose renewal hangs beyond the end of the lease', async () => {
    const { clock, keepAlive, count } = open({ heartbeatLane: waitForAbort });
    keepAlive.keep(grant);
    await clock.pass(299);
    expect(keepAlive.takeLost()).toEqual([]);
    await clock.pass(1);
    expect(keepAlive.takeLost()).toEqual(['docs']);
    expect(count('heartbeatLane')).toBe(1);
  });

  it('is none when the bus comes back in time', async () => {
    let isUp = false;
    const { clock, keepAlive, count } = open({
      heartbeatLane: () => (isUp ? { lease_s: 300 } : Promise.reject(unreachable())),
    });
    keepAlive.keep(grant);
    await clock.pass(200);
    isUp = true;
    await clock.pass(1000);
    expect(keepAlive.takeLost()).toEqual([]);
    expect(count('heartbeatLane')).toBeGreaterThan(40);
  });

  it('is given back, and named, when the ceiling is reached', async () => {
    const { clock, keepAlive, calls } = open({}, 250);
    keepAlive.keep(grant);
    await clock.pass(249);
    expect(keepAlive.takeLost()).toEqual([]);
    await clock.pass(1);
    expect(calls.at(-1)).toMatchObject({
      name: 'releaseLane',
      input: { lane: 'docs', owner: 'ada', fence: 1 },
    });
    expect(keepAlive.takeLost()).toEqual(['docs']);
    expect(clock.timerCount()).toBe(0);
  });

  it('is not one that the agent claims anew before the ceiling: that counts from then on', async () => {
    const { clock, keepAlive, count } = open({}, 250);
    keepAlive.keep(grant);
    await clock.pass(200);
    keepAlive.keep(grant);
    await clock.pass(249);
    expect(count('releaseLane')).toBe(0);
    await clock.pass(1);
    expect(count('releaseLane')).toBe(1);
  });
});

describe('the end of a session', () => {
  it('gives back everything that is kept, at the same time', async () => {
    const { clock, keepAlive, calls } = open();
    for (const lane of ['a', 'b', 'c']) keepAlive.keep({ ...grant, lane });
    await keepAlive.releaseAll();
    expect(calls.map((call) => `${call.name} ${call.input.lane} ${call.input.fence}`)).toEqual([
      'releaseLane a 7',
      'releaseLane b 7',
      'releaseLane c 7',
    ]);
    expect(clock.timerCount()).toBe(0);
  });

  it('does not wait longer than a second for a bus that hangs, nor fail with one that refuses', async () => {
    const { clock, keepAlive } = open({
      releaseLane: ({ lane }: { lane: string }) =>
        lane === 'a' ? Promise.reject(unreachable()) : new Promise(() => {}),
    });
    for (const lane of ['a', 'b']) keepAlive.keep({ ...grant, lane });
    let isOver = false;
    const end = keepAlive.releaseAll().then(() => (isOver = true));
    await clock.pass(0.5);
    expect(isOver).toBe(false);
    await clock.pass(0.5);
    expect(isOver).toBe(true);
    await end;
  });

  it('gives back at once what is granted after it', async () => {
    const { clock, keepAlive, calls } = open();
    await keepAlive.releaseAll();
    keepAlive.keep(grant);
    await clock.pass(1000);
    expect(calls.map((call) => call.name)).toEqual(['releaseLane']);
  });

  it('asks nothing of a bus that it keeps nothing on', async () => {
    const { keepAlive, calls } = open();
    await keepAlive.releaseAll();
    expect(calls).toEqual([]);
  });
});

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
