import { setTimeout as pause, setImmediate as yieldTurn } from 'node:timers/promises';
import type { Bus } from '../../src/contract/contract.ts';
import { BusError } from '../../src/contract/errors.ts';
import { type Action, toRefusedVerdict, toVerdict, type Verdict } from '../model/lane.ts';
import type { TestClock } from '../suite/clock.ts';
import type { Entry } from './checker.ts';

export type Random = Readonly<{ below: (bound: number) => number; isLucky: (chance: number) => boolean }>;

/** The same seed chooses the same actions; in which order the bus takes them is its own affair. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return { below: (bound) => Math.floor(next() * bound), isLucky: (chance) => next() < chance };
}

export type Round = Readonly<{
  random: Random;
  clock: TestClock;
  /** The bus as a client sees it: mutants look different from here and there. */
  busOf: (client: number) => Bus;
  /** Lanes of this name and a number. */
  prefix: string;
  /** Contests that go on at the same time, each of a few clients for a few lanes. */
  contests: number;
}>;

export type RecordedLane = Readonly<{ lane: string; startsAt: number; history: readonly Entry[] }>;

const clientsPerContest = 4;
const lanesPerContest = 2;
const actionsPerClient = 5;
const jumps = 8;

/** Lets all clients at the lanes while the clock jumps, and gives back what each lane saw. */
export async function record(round: Round): Promise<readonly RecordedLane[]> {
  const { random, clock, contests, prefix } = round;
  const startsAt = clock.now();
  const times: Entry[] = [];
  const histories = new Map<string, Entry[]>();
  let count = 0;
  const tick = () => {
    count += 1;
    return count;
  };

  async function act(client: number, lane: string, { action, waitSeconds }: Attempt): Promise<Verdict> {
    const began = tick();
    const verdict = await operate(round.busOf(client), lane, action, waitSeconds);
    histories.get(lane)?.push({ began, ended: tick(), action, verdict });
    return verdict;
  }

  async function compete(contest: number, client: number): Promise<void> {
    const fences = new Map<string, number>();
    for (let turn = 0; turn < actionsPerClient; turn += 1) {
      const lane = `${prefix}${contest}-${random.below(lanesPerContest)}`;
      await dawdle(random);
      const owner = `client ${client} of ${prefix}${contest}`;
      const verdict = await act(client, lane, choose(random, owner, fences.get(lane)));
      if ('granted' in verdict) fences.set(lane, verdict.fence as number);
    }
  }

  /** Every moment at which an alarm rings is one that the bus may have decided at. */
  function jump(seconds: number): void {
    const end = clock.now() + seconds * 1000;
    while (clock.now() < end) {
      const alarm = clock.alarms().find((time) => time > clock.now());
      const next = Math.min(alarm ?? end, end);
      clock.advance((next - clock.now()) / 1000);
      const at = tick();
      times.push({ began: at, ended: at, time: next });
    }
  }

  function stop(seconds: number): void {
    const { from, to } = clock.stopFor(seconds);
    const at = tick();
    times.push({ began: at, ended: at, pause: { from, to } });
  }

  const clients: Promise<void>[] = [];
  let competing = 0;
  for (let contest = 0; contest < contests; contest += 1) {
    for (let lane = 0; lane < lanesPerContest; lane += 1) histories.set(`${prefix}${contest}-${lane}`, []);
    for (let client = 0; client < clientsPerContest; client += 1) {
      competing += 1;
      clients.push(compete(contest, client).finally(() => (competing -= 1)));
    }
  }
  const done = Promise.all(clients);
  for (let made = 0; made < jumps; made += 1) {
    for (let round = 0; round < 3; round += 1) await dawdle(random);
    if (random.isLucky(0.25)) stop(1 + random.below(30));
    else jump((1 + random.below(6)) / 2);
  }
  // Whoever still waits is served as the leases of the others run out, or its time does.
  while (competing > 0) {
    jump(1);
    await pause(5);
  }
  await done;
  return [...histories].map(([lane, history]) => ({ lane, startsAt, history: [...history, ...times] }));
}

type Attempt = Readonly<{ action: Action; waitSeconds: number }>;

function choose(random: Random, owner: string, known: number | undefined): Attempt {
  // Most are shorter than any grace, which is then the whole lease; of the long ones it is a part.
  const lease = random.isLucky(0.8) ? 1 + random.below(3) : 30;
  const fence = random.isLucky(0.5) ? known : undefined;
  const luck = random.below(100);
  if (luck < 15) return { action: { act: 'release', owner, fence }, waitSeconds: 0 };
  if (luck < 40) return { action: { act: 'heartbeat', owner, lease, fence }, waitSeconds: 0 };
  if (luck < 55) return { action: { act: 'post', owner, fence: known ?? random.below(3) }, waitSeconds: 0 };
  return { action: { act: 'claim', owner, lease }, waitSeconds: luck < 70 ? 1 + random.below(2) : 0 };
}

async function dawdle(random: Random): Promise<void> {
  for (let left = random.below(4); left > 0; left -= 1) await yieldTurn();
}

async function operate(bus: Bus, lane: string, action: Action, waitSeconds: number): Promise<Verdict> {
  try {
    return toVerdict(action.act, await ask(bus, lane, action, waitSeconds));
  } catch (error) {
    if (error instanceof BusError) return toRefusedVerdict(error);
    throw error;
  }
}

function ask(bus: Bus, lane: string, action: Action, waitSeconds: number): Promise<unknown> {
  const { owner } = action;
  switch (action.act) {
    case 'claim':
      return bus.claimLane({ lane, owner, lease_s: action.lease, wait_s: waitSeconds });
    case 'heartbeat':
      return bus.heartbeatLane({ lane, owner, lease_s: action.lease, fence: action.fence });
    case 'release':
      return bus.releaseLane({ lane, owner, fence: action.fence });
    case 'post':
      return bus.postMessage({ topic: 'history', sender: owner, body: 'fenced', lane, fence: action.fence });
  }
}
