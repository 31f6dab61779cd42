import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bus } from '../src/contract/contract.ts';
import { BusError } from '../src/contract/errors.ts';
import { type Action, toRefusedVerdict, toVerdict, type Verdict } from './model/lane.ts';
import { createWorld, type Served, type Waiter, type World } from './model/world.ts';
import { soon, until } from './suite/ask.ts';
import type { TestClock } from './suite/clock.ts';
import { openStage, type Stage } from './suite/stage.ts';
import { type StoreSource, stores } from './suite/stores.ts';

type Step =
  | Readonly<{ kind: 'action'; lane: number; action: DraftAction }>
  | Readonly<{ kind: 'wait'; lane: number; owner: string; lease: number; seconds: number }>
  | Readonly<{ kind: 'abandon'; which: number }>
  | Readonly<{ kind: 'pass'; seconds: number }>;

/** The fence is chosen as a distance from the one that the lane has when the step is taken. */
type DraftAction = Readonly<{ act: Action['act']; owner: string; lease: number; fence: number | undefined }>;

const owner = fc.constantFrom('ada', 'bob', 'eve');
const seconds = fc.integer({ min: 1, max: 8 });
const lane = fc.integer({ min: 0, max: 1 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('action' as const),
        lane,
        action: fc.record({
          act: fc.constantFrom('claim' as const, 'heartbeat' as const, 'release' as const, 'post' as const),
          owner,
          lease: seconds,
          fence: fc.constantFrom(undefined, 0, 0, -1, 1),
        }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), lane, owner, lease: seconds, seconds }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abandon' as const), which: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds }) },
  ),
  { maxLength: 40, size: 'max' },
);

describe.each(stores)('the engine over $name', (store) => {
  let source: StoreSource;
  let stage: Stage;
  let runCount = 0;

  beforeAll(async () => {
    source = await store.start();
    stage = await openStage(await source.freshLocation());
  });
  afterAll(async () => {
    await stage.close();
    await source.stop();
  });

  test('decides as the model does, whatever is asked, waited for, given up and let run out', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (asked) => {
        runCount += 1;
        await compare(asked, { stage, prefix: `run-${runCount}-` });
      }),
      { numRuns: 150, interruptAfterTimeLimit: 15_000 },
    );
  }, 120_000);
});

/** Takes each step in the engine and in the model, and wants the same of both. */
async function compare(
  asked: readonly Step[],
  on: Readonly<{ stage: Stage; prefix: string }>,
): Promise<void> {
  const { engine, clock } = on.stage;
  const world = createWorld(clock.now());
  const waiting = createWaitingRoom(engine, clock, world);
  const names = [0, 1].map((number) => `${on.prefix}${number}`);
  try {
    for (const step of asked) {
      await take(step);
      for (const name of names) await expectSame(engine, world, name);
    }
    await waiting.pass(100);
    expect(world.waiters()).toEqual([]);
  } finally {
    await waiting.clear();
  }

  async function take(step: Step): Promise<void> {
    if (step.kind === 'wait') return waiting.enter({ ...step, lane: names[step.lane] as string });
    if (step.kind === 'abandon') return waiting.abandon(step.which);
    if (step.kind === 'pass') return waiting.pass(step.seconds);
    const name = names[step.lane] as string;
    const action = toAction(step.action, world.laneOf(name).fence);
    const { verdict, served } = world.act(name, action);
    expect(await operate(engine, name, action)).toEqual(verdict);
    return waiting.expectServed(served);
  }
}

function toAction({ act, owner, lease, fence: distance }: DraftAction, current: number): Action {
  const fence = distance === undefined ? undefined : Math.max(0, current + distance);
  if (act === 'claim') return { act, owner, lease };
  if (act === 'heartbeat') return { act, owner, lease, fence };
  return act === 'release' ? { act, owner, fence } : { act, owner, fence: fence ?? current };
}

async function operate(bus: Bus, lane: string, action: Action): Promise<Verdict> {
  return toOutcome(action.act, ask());

  function ask(): Promise<unknown> {
    const { owner } = action;
    if (action.act === 'claim') return bus.claimLane({ lane, owner, lease_s: action.lease });
    if (action.act === 'heartbeat') {
      return bus.heartbeatLane({ lane, owner, lease_s: action.lease, fence: action.fence });
    }
    if (action.act === 'release') return bus.releaseLane({ lane, owner, fence: action.fence });
    return bus.postMessage({ topic: 'model', sender: owner, body: 'fenced', lane, fence: action.fence });
  }
}

async function toOutcome(act: Action['act'], answer: Promise<unknown>): Promise<Verdict> {
  try {
    return toVerdict(act, await answer);
  } catch (error) {
    if (error instanceof BusError) return toRefusedVerdict(error);
    throw error;
  }
}

/** Everybody who waits, in the engine and in the model. */
function createWaitingRoom(engine: Bus, clock: TestClock, world: World) {
  type Guest = Readonly<{ caller: AbortController; outcome: Promise<Verdict | 'gone'> }>;
  const guests = new Map<number, Guest>();
  let ticket = 0;

  async function enter(asked: Omit<Waiter, 'ticket' | 'deadline'> & Readonly<{ seconds: number }>) {
    const { lane, owner, lease } = asked;
    ticket += 1;
    // No two deadlines fall together, nor one with the end of a lease: both would be right in any order.
    const wait_s = asked.seconds + ticket / 1000;
    const caller = new AbortController();
    const answer = engine.claimLane({ lane, owner, lease_s: lease, wait_s }, { signal: caller.signal });
    const outcome = toOutcome('claim', answer).catch((error) => {
      if (error.name === 'AbortError') return 'gone' as const;
      throw error;
    });
    const deadline = clock.now() + Math.round(wait_s * 1000);
    const verdict = world.wait({ ticket, lane, owner, lease, deadline });
    if (verdict) expect(await soon('the grant', outcome)).toEqual(verdict);
    else guests.set(ticket, { caller, outcome });
    await untilAlarmsAreSet();
  }

  async function abandon(which: number): Promise<void> {
    const found = [...guests][which];
    if (!found) return;
    const [number, { caller, outcome }] = found;
    guests.delete(number);
    world.abandon(number);
    caller.abort();
    expect(await soon('the end of the call', outcome)).toBe('gone');
  }

  /** Time stops wherever something happens by itself, so that model and engine see it at the same moment. */
  async function pass(seconds: number): Promise<void> {
    const end = clock.now() + seconds * 1000;
    while (clock.now() < end) {
      await untilAlarmsAreSet();
      const next = Math.min(world.alarms()[0] ?? end, end);
      clock.advance((next - clock.now()) / 1000);
      await expectServed(world.moveTo(next));
    }
  }

  async function expectServed(served: readonly Served[]): Promise<void> {
    for (const { ticket: number, verdict } of served) {
      const { outcome } = guests.get(number) as Guest;
      expect(await soon('who waits to be served', outcome)).toEqual(verdict);
      guests.delete(number);
    }
    await untilAlarmsAreSet();
  }

  async function untilAlarmsAreSet(): Promise<void> {
    const expected = [...new Set(world.alarms())].join();
    await until(`the alarms are ${expected}`, () => [...new Set(clock.alarms())].join() === expected, 2);
  }

  /** Nobody may be left, also after a failure: the next run is on the same engine. */
  async function clear(): Promise<void> {
    for (const { caller } of guests.values()) caller.abort();
    await until('nothing is left', () => clock.alarms().length === 0, 2);
  }

  return { enter, abandon, pass, expectServed, clear };
}

async function expectSame(engine: Bus, world: World, name: string): Promise<void> {
  const { state, fence, lane, waiting } = await engine.getLane({ lane: name });
  const { fence: fenceExpected, holder } = world.laneOf(name);
  const stateExpected = !holder ? 'free' : world.now() < holder.until ? 'held' : 'orphaned';
  expect({ state, fence, owner: lane.owner, until: lane.expires_at }).toEqual({
    state: stateExpected,
    fence: fenceExpected,
    owner: holder?.owner,
    until: holder && new Date(holder.until).toISOString(),
  });
  expect(waiting.map(({ owner }) => owner)).toEqual(world.lineFor(name).map(({ owner }) => owner));
}
