import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type OpenedEngine, openEngine } from '../src/app/compose.ts';
import { createAwakeTimers } from '../src/lease/awake.ts';
import { keepLease } from '../src/lease/keeper.ts';
import { createClock } from '../src/store/clock.ts';
import { writerFile } from './build.ts';
import { createManualTimers, type ManualTimers } from './cli/manual-timers.ts';
import { refusalOf, until } from './suite/ask.ts';

const second = 1_000;
const start = Date.UTC(2026, 0, 2, 3, 4, 5);
const secondsAsleep = 8 * 3_600;

/** A laptop with a bus, somebody who keeps a lane, and somebody who wants it. */
type Laptop = Readonly<{ engine: OpenedEngine; timers: ManualTimers; sleep: () => void }>;

let laptop: Laptop;
let folder: string;

const kindsOfClock = ['goes on while it sleeps', 'stands still while it sleeps'] as const;

async function openLaptop(kind: (typeof kindsOfClock)[number]): Promise<Laptop> {
  const timers = createManualTimers();
  let leftOut = 0;
  const clockFrom = (floor: number) =>
    createClock({
      floor,
      wallNow: () => start,
      monotonicNow: timers.now,
      bootNow: () => timers.now() + leftOut,
    });
  const engine = await openEngine({ store: join(folder, 'bus.db'), writerFile, clockFrom });
  const sleep = () => {
    if (kind === 'goes on while it sleeps') timers.sleep(secondsAsleep * second);
    else leftOut += secondsAsleep * second;
  };
  return { engine, timers, sleep };
}

/** So many seconds go by, in each of which the thief tries its luck. */
async function live(seconds: number): Promise<void> {
  for (let gone = 0; gone < seconds; gone += 1) {
    await laptop.timers.advance(second);
    // The sign of life that the bus gives each second.
    vi.advanceTimersByTime(second);
    const refusal = await refusalOf(laptop.engine.bus.claimLane({ lane: 'docs', owner: 'eve' }));
    expect(refusal.code).toBe('lane_held');
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  folder = mkdtempSync(join(tmpdir(), 'bus-sleep-'));
});
afterEach(async () => {
  await laptop.engine.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

describe.each(kindsOfClock)('a laptop whose clock %s', (kind) => {
  describe.each([10, 60, 300])('with a lease of %d s', (leaseSeconds) => {
    const claim = { lane: 'docs', owner: 'ada', lease_s: leaseSeconds };

    test.each([0, 0.3, 0.6, 0.95])(
      'loses no lane that is kept, whenever it falls asleep: after %d of the time to the next renewal',
      async (part) => {
        laptop = await openLaptop(kind);
        const { bus } = laptop.engine;
        const { lane } = await bus.claimLane(claim);
        const lost: string[] = [];
        const keeper = keepLease({
          bus,
          timers: createAwakeTimers(laptop.timers),
          grant: { lane: 'docs', owner: 'ada', leaseSeconds, fence: lane.fence },
          onLost: (reason) => void lost.push(reason),
        });
        await live(Math.floor((part * leaseSeconds) / 3));
        laptop.sleep();
        await live(Math.ceil(leaseSeconds / 3) + 20);
        expect(lost).toEqual([]);
        expect(await bus.getLane({ lane: 'docs' })).toMatchObject({ state: 'held', fence: lane.fence });
        keeper.stop();
      },
    );

    test('waits for an agent that renews by itself at a third of its lease, and had just done so', async () => {
      laptop = await openLaptop(kind);
      const { bus } = laptop.engine;
      await bus.claimLane(claim);
      await live(1);
      laptop.sleep();
      await live(Math.ceil(leaseSeconds / 3));
      expect(await bus.heartbeatLane({ ...claim, fence: 1 })).toMatchObject({ decision: 'heartbeat' });
    });

    test('hands the lane on in the end when its holder is gone', async () => {
      laptop = await openLaptop(kind);
      const { bus } = laptop.engine;
      await bus.claimLane(claim);
      laptop.sleep();
      await live(Math.min(leaseSeconds, Math.ceil(leaseSeconds / 3) + 15) - 1);
      const takes = async () => {
        await laptop.timers.advance(second);
        vi.advanceTimersByTime(second);
        return bus.claimLane({ lane: 'docs', owner: 'eve' }).then(
          ({ decision }) => decision === 'steal',
          () => false,
        );
      };
      await until('eve has it', takes, 2);
    });
  });
});
