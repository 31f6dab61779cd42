import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type OpenedEngine, openEngine } from '../src/app/compose.ts';
import { type Clock, createClock, type Pause } from '../src/store/clock.ts';
import { writerFile } from './build.ts';
import { refusalOf, until } from './suite/ask.ts';

const seconds = 1_000;
const hour = 3_600 * seconds;
const start = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A machine whose clocks go as the test says. */
function createMachine() {
  const machine = { wall: start, monotonic: 5_000, boot: 90_000 };
  return {
    sources: {
      wallNow: () => machine.wall,
      monotonicNow: () => machine.monotonic,
      bootNow: () => machine.boot,
    },
    /** Time goes by, and the process runs. */
    run(milliseconds: number): void {
      for (const name of ['wall', 'monotonic', 'boot'] as const) machine[name] += milliseconds;
    },
    /** Somebody sets the clock of the machine. */
    setWall(milliseconds: number): void {
      machine.wall += milliseconds;
    },
    /** The machine sleeps: its monotonic clock does not go on. */
    sleep(milliseconds: number): void {
      machine.wall += milliseconds;
      machine.boot += milliseconds;
    },
  };
}

type Machine = ReturnType<typeof createMachine>;

let machine: Machine;
let clock: Clock;

beforeEach(() => {
  machine = createMachine();
});
afterEach(() => {
  clock.stop?.();
  vi.useRealTimers();
});

/** A clock whose timers are rung by the test; the process shows a sign of life each second that it runs. */
function openClock(floor = 0, aliveUntil?: number): Clock {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  clock = createClock({ ...machine.sources, floor, aliveUntil });
  return clock;
}

function live(milliseconds: number): void {
  for (let gone = 0; gone < milliseconds; gone += seconds) {
    machine.run(Math.min(seconds, milliseconds - gone));
    vi.advanceTimersByTime(Math.min(seconds, milliseconds - gone));
  }
}

describe('the clock', () => {
  test('starts at the time of the machine, or at the latest time that the store remembers', () => {
    expect(openClock().now()).toBe(start);
    clock.stop?.();
    expect(openClock(start + 5).now()).toBe(start + 5);
    clock.stop?.();
    expect(openClock(start - 5).now()).toBe(start);
  });

  test.each([
    ['back an hour', -hour],
    ['forward a day', 24 * hour],
  ])('goes on as before when the clock of the machine is set %s', (_, jump) => {
    const { now } = openClock();
    live(10 * seconds);
    machine.setWall(jump);
    expect(now()).toBe(start + 10 * seconds);
    live(5 * seconds);
    expect(now()).toBe(start + 15 * seconds);
    expect(clock.lastPause?.()).toBeUndefined();
  });

  test('never goes back', () => {
    const { now } = openClock();
    let latest = now();
    for (const [by, jump] of [
      [1, 0],
      [0, -hour],
      [250, hour],
      [999, -2 * hour],
    ] as const) {
      machine.setWall(jump);
      machine.run(by);
      const time = now();
      expect(time).toBeGreaterThanOrEqual(latest);
      latest = time;
    }
  });

  test('counts the time that the machine slept, in which its monotonic clock stood', () => {
    const { now } = openClock();
    live(2 * seconds);
    machine.sleep(hour);
    live(seconds);
    expect(now()).toBe(start + hour + 3 * seconds);
  });

  test.each([
    ['was stopped', (by: number) => machine.run(by)],
    ['slept with its machine', (by: number) => machine.sleep(by)],
  ])('notes from when to when the process %s, once', async (_, pass) => {
    openClock();
    const heard: Pause[] = [];
    clock.onPause?.((pause) => heard.push(pause));
    live(2 * seconds);
    pass(60 * seconds);
    live(seconds);
    live(10 * seconds);
    await new Promise((resolve) => setImmediate(resolve));
    const [pause] = heard;
    expect(heard).toHaveLength(1);
    expect(clock.lastPause?.()).toEqual(pause);
    expect(pause?.from).toBe(start + 2 * seconds);
    expect((pause?.to ?? 0) - start - 62 * seconds).toBeGreaterThanOrEqual(0);
    expect((pause?.to ?? 0) - start - 63 * seconds).toBeLessThanOrEqual(0);
  });

  test('takes the time since the process before it served for one too', async () => {
    openClock(0, start - 20 * seconds);
    const heard: Pause[] = [];
    clock.onPause?.((pause) => heard.push(pause));
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.lastPause?.()).toEqual({ from: start - 20 * seconds, to: start });
    expect(heard).toEqual([clock.lastPause?.()]);
    clock.stop?.();
    openClock(0, start + seconds);
    expect(clock.lastPause?.(), 'one that may still serve').toBeUndefined();
  });

  test('takes a process that was only slow for what it is', () => {
    openClock();
    live(2 * seconds);
    machine.run(2_900);
    vi.advanceTimersByTime(seconds);
    live(seconds);
    expect(clock.lastPause?.()).toBeUndefined();
  });

  test('rings at the time, not before it, also when the wait is longer than a timer can be', () => {
    const { schedule } = openClock();
    const days = 30;
    const action = vi.fn();
    schedule(start + days * 24 * hour, action);
    for (let day = 1; day <= days; day += 1) {
      expect(action).not.toHaveBeenCalled();
      machine.run(24 * hour);
      vi.advanceTimersByTime(24 * hour);
    }
    expect(action).toHaveBeenCalledTimes(1);
  });

  test('does not ring what was called off', () => {
    const { schedule } = openClock();
    const action = vi.fn();
    schedule(start + seconds, action)();
    live(5 * seconds);
    expect(action).not.toHaveBeenCalled();
  });
});

describe('leases on that clock', () => {
  let folder: string;
  let engine: OpenedEngine;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bus-clock-'));
    engine = await openEngine({
      store: join(folder, 'bus.db'),
      writerFile,
      clockFrom: (floor) => {
        clock = createClock({ ...machine.sources, floor });
        return clock;
      },
    });
  });
  afterEach(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  /** Somebody asks something each second, so the process shows that it lives. */
  function goOn(milliseconds: number): void {
    for (let gone = 0; gone < milliseconds; gone += seconds) {
      machine.run(Math.min(seconds, milliseconds - gone));
      clock.now();
    }
  }

  const holder = { lane: 'feeds', owner: 'ada', lease_s: 60 };
  const thief = { lane: 'feeds', owner: 'eve' };

  test.each([
    ['back an hour', -hour],
    ['forward a day', 24 * hour],
  ])('neither end early nor come back to life when the machine is set %s', async (_, jump) => {
    const { bus } = engine;
    await bus.claimLane(holder);
    goOn(59 * seconds);
    machine.setWall(jump);
    const held = await refusalOf(bus.claimLane(thief));
    expect([held.code, held.data?.expires_in_s]).toEqual(['lane_held', 1]);
    goOn(seconds);
    expect((await refusalOf(bus.heartbeatLane(holder))).code).toBe('not_holder');
    expect((await bus.claimLane(thief)).decision).toBe('steal');
    machine.setWall(-jump);
    expect((await refusalOf(bus.heartbeatLane(holder))).code).toBe('not_holder');
    expect((await bus.getLane({ lane: 'feeds' })).lane.owner).toBe('eve');
  });

  test('outlive a pause for as long as the grace is, so that their holders can renew', async () => {
    const { bus } = engine;
    await bus.claimLane(holder);
    await bus.claimLane({ ...holder, lane: 'left' });
    goOn(30 * seconds);
    machine.run(600 * seconds);
    expect((await refusalOf(bus.claimLane(thief))).code).toBe('lane_held');
    expect((await bus.heartbeatLane(holder)).lane.owner).toBe('ada');
    await until('readers see the grace', async () => (await bus.getLane({ lane: 'left' })).state === 'held');
    // A third of the lease, and fifteen seconds.
    goOn(34 * seconds);
    expect((await refusalOf(bus.claimLane({ ...thief, lane: 'left' }))).code).toBe('lane_held');
    goOn(seconds);
    expect((await bus.claimLane({ ...thief, lane: 'left' })).decision).toBe('steal');
    expect((await refusalOf(bus.claimLane(thief))).code, 'who renewed in time holds on').toBe('lane_held');
  });

  test('get that grace once for each pause, and only when they were live as it began', async () => {
    const { bus } = engine;
    await bus.claimLane({ ...holder, lane: 'over', lease_s: 10 });
    await bus.claimLane(holder);
    goOn(30 * seconds);
    machine.run(600 * seconds);
    expect((await bus.claimLane({ ...thief, lane: 'over' })).decision, 'it was over before').toBe('steal');
    expect((await refusalOf(bus.claimLane(thief))).code).toBe('lane_held');
    goOn(35 * seconds);
    expect((await bus.claimLane(thief)).decision).toBe('steal');
    expect((await refusalOf(bus.heartbeatLane(holder))).code).toBe('not_holder');
  });

  test('that would end soon after a pause get it too: their holders could not renew either', async () => {
    const { bus } = engine;
    await bus.claimLane(holder);
    machine.run(59 * seconds);
    clock.now();
    goOn(34 * seconds);
    expect((await refusalOf(bus.claimLane(thief))).code).toBe('lane_held');
    goOn(seconds);
    expect((await bus.claimLane(thief)).decision).toBe('steal');
  });

  test('outlive a night of sleep that a few seconds awake interrupt again and again', async () => {
    const { bus } = engine;
    await bus.claimLane(holder);
    for (let sleep = 0; sleep < 12; sleep += 1) {
      machine.run(hour);
      goOn(2 * seconds);
    }
    expect((await refusalOf(bus.claimLane(thief))).code).toBe('lane_held');
    expect((await bus.heartbeatLane(holder)).lane.fence).toBe(1);
  });

  test('that are shorter than the grace get no more than they were granted for', async () => {
    const { bus } = engine;
    await bus.claimLane({ ...holder, lease_s: 5 });
    machine.run(60 * seconds);
    expect((await refusalOf(bus.claimLane(thief))).code).toBe('lane_held');
    goOn(5 * seconds);
    expect((await bus.claimLane(thief)).decision).toBe('steal');
  });
});
