import { describe, expect, it } from 'vitest';
import { grant, lost, open, unreachable } from './keeping.ts';
import { toLane, waitForAbort } from './scripted-bus.ts';

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

  it('is not one that the agent claims again before the ceiling: that counts from then on', async () => {
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
