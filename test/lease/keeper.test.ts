import { describe, expect, test } from 'vitest';
import { BusUnreachableError, toBusError } from '../../src/contract/errors.ts';
import { createAwakeTimers } from '../../src/lease/awake.ts';
import { keepLease } from '../../src/lease/keeper.ts';
import { createManualTimers } from '../cli/manual-timers.ts';
import { createScriptedBus } from '../mcp/scripted-bus.ts';

const notHolder = toBusError('not_holder', 'not held', { lane: 'docs', owner: null, expires_in_s: 0 });
const unreachable = new BusUnreachableError('no bus answered', 'http://x');

type Answer = () => unknown;

/** A lease that is kept over a bus that answers as the test says. */
function keep(leaseSeconds: number, { isResting = false, isBusHere = false } = {}) {
  const timers = createManualTimers();
  const asked: number[] = [];
  const lost: string[] = [];
  const script: { answer: Answer } = { answer: () => ({ lease_s: leaseSeconds }) };
  const { bus } = createScriptedBus({
    heartbeatLane: () => {
      asked.push(timers.now());
      return script.answer();
    },
  });
  const keeper = keepLease({
    bus,
    timers: createAwakeTimers(timers),
    grant: { lane: 'docs', owner: 'ada', leaseSeconds, fence: 7 },
    isResting,
    isBusHere,
    onLost: (reason) => void lost.push(reason),
  });
  return { timers, asked, lost, script, keeper };
}

const [second, hour] = [1_000, 3_600_000];

describe.each([10, 60, 300])('a keeper of a lease of %d s', (leaseSeconds) => {
  /** The clock goes on while the machine sleeps. The other kind of clock stands still, and nothing can be noticed. */
  test.each([
    ['long before the next renewal', 0.05],
    ['just before the next renewal', 0.32],
  ])('that slept for an hour from %s asks once and believes that it still has the lane', async (_, part) => {
    const { timers, asked, lost } = keep(leaseSeconds);
    await timers.advance(leaseSeconds * part * second);
    timers.sleep(hour);
    const wokeAt = timers.now();
    await timers.advance(second);
    expect(asked).toEqual([expect.any(Number)]);
    expect((asked[0] ?? 0) - wokeAt).toBeLessThan(second);
    await timers.advance(hour);
    expect(lost).toEqual([]);
  });

  test('that slept and is told by the bus that the lane is lost says so, and asks no more', async () => {
    const { timers, asked, lost, script } = keep(leaseSeconds);
    script.answer = () => Promise.reject(notHolder);
    timers.sleep(hour);
    await timers.advance(hour);
    expect(asked).toHaveLength(1);
    expect(lost).toEqual(['not held']);
    expect(timers.count()).toBe(0);
  });

  test('that slept asks again when nobody answers, and gives up only after a whole lease awake', async () => {
    const { timers, asked, lost, script } = keep(leaseSeconds);
    script.answer = () => Promise.reject(unreachable);
    timers.sleep(hour);
    await timers.advance((leaseSeconds / 2) * second);
    expect(lost).toEqual([]);
    expect(asked.length).toBeGreaterThan(1);
    await timers.advance(leaseSeconds * second);
    expect(lost).toEqual(['it could not be renewed before the lease ran out']);
  });

  test('that slept while a renewal was on its way believes the answer, and asks again', async () => {
    const { timers, asked, lost, script } = keep(leaseSeconds);
    let answer = (_: unknown) => {};
    script.answer = () => new Promise((resolve) => (answer = resolve));
    await timers.advance((leaseSeconds / 3) * second);
    expect(asked).toHaveLength(1);
    timers.sleep(hour);
    answer({ lease_s: leaseSeconds });
    script.answer = () => ({ lease_s: leaseSeconds });
    await timers.advance(leaseSeconds * second);
    expect(asked.length).toBeGreaterThan(2);
    expect(lost).toEqual([]);
  });

  test('that slept while a renewal was on its way that nobody answers does not cut it off for its own clock', async () => {
    const { timers, lost, script } = keep(leaseSeconds);
    let refuse = (_: unknown) => {};
    script.answer = () => new Promise((_, reject) => (refuse = reject));
    await timers.advance((leaseSeconds / 3) * second);
    timers.sleep(hour);
    await timers.advance(second);
    script.answer = () => ({ lease_s: leaseSeconds });
    refuse(unreachable);
    await timers.advance(hour);
    expect(lost).toEqual([]);
  });
});

test('a keeper whose bus on this machine is silent for longer than the lease asks on, and believes the answer', async () => {
  const { timers, asked, lost, script } = keep(10, { isBusHere: true });
  script.answer = () => Promise.reject(unreachable);
  await timers.advance(60 * second);
  expect(lost).toEqual([]);
  expect(asked.length).toBeLessThan(70);
  script.answer = () => ({ lease_s: 10 });
  await timers.advance(60 * second);
  expect(lost).toEqual([]);
  script.answer = () => Promise.reject(notHolder);
  await timers.advance(10 * second);
  expect(lost).toEqual(['not held']);
});

test('a keeper at rest asks nothing, sleeping or not, until it is resumed', async () => {
  const { timers, asked, keeper } = keep(60, { isResting: true });
  await timers.advance(hour);
  timers.sleep(hour);
  await timers.advance(hour);
  expect(asked).toEqual([]);
  expect(timers.count()).toBe(0);
  keeper.resume();
  await timers.advance(second);
  expect(asked).toHaveLength(1);
});

describe('timers in the time that a process was awake', () => {
  test('leave out each sleep, and tell of it soon', async () => {
    const timers = createManualTimers();
    const awake = createAwakeTimers(timers);
    let wakes = 0;
    awake.onWake(() => {
      wakes += 1;
    });
    let rungAt = 0;
    awake.after(10 * second, () => {
      rungAt = timers.now();
    });
    const startedAt = timers.now();
    for (let sleep = 0; sleep < 3; sleep += 1) {
      await timers.advance(2 * second);
      timers.sleep(hour);
    }
    await timers.advance(20 * second);
    expect(wakes).toBe(3);
    expect(rungAt - startedAt - 3 * hour).toBeGreaterThanOrEqual(10 * second);
    expect(rungAt - startedAt - 3 * hour).toBeLessThanOrEqual(13 * second);
  });

  test('do not take a process that waits for nothing for one that sleeps', async () => {
    const timers = createManualTimers();
    const awake = createAwakeTimers(timers);
    const startedAt = awake.now();
    await timers.advance(hour);
    expect(awake.now() - startedAt).toBe(hour);
    expect(timers.count()).toBe(0);
  });

  test('tick only while one is set', async () => {
    const timers = createManualTimers();
    const cancel = createAwakeTimers(timers).after(hour, () => {});
    await timers.advance(5 * second);
    expect(timers.count()).toBe(2);
    cancel();
    expect(timers.count()).toBe(0);
  });
});
