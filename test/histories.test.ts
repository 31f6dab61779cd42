import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../src/app/compose.ts';
import type { Bus } from '../src/contract/contract.ts';
import { writerFile } from './build.ts';
import { isLinearizable } from './histories/checker.ts';
import { mutants } from './histories/mutants.ts';
import { createRandom, type RecordedLane, record } from './histories/schedule.ts';
import { createTestClock, type TestClock } from './suite/clock.ts';
import { httpDoor } from './suite/doors/http.ts';
import { type StoreSource, stores } from './suite/stores.ts';

/** Contests are schedules of their own, each of four clients that do five actions each at two lanes. */
const contests = 40;
/** For a long run: so many schedules of each kind, however long they take. */
const schedulesAsked = Number(process.env.HISTORY_SCHEDULES ?? 0);
const secondsMax = 60 + schedulesAsked / 5;
const seed = Number(process.env.HISTORY_SEED ?? Date.now() % 1_000_000);

describe.each(stores)('every lane over $name', (store) => {
  let source: StoreSource;
  let clock: TestClock;
  let engine: Awaited<ReturnType<typeof openEngine>>;

  beforeAll(async () => {
    source = await store.start();
    clock = createTestClock();
    const location = await source.freshLocation();
    engine = await openEngine({ store: location, writerFile, clockFrom: () => clock });
  });
  afterAll(async () => {
    await engine.close();
    await source.stop();
  });

  /** The first lane whose history no order explains, or nothing after so many schedules. */
  async function findFault(
    schedules: number,
    prefix: string,
    busOf: (client: number) => Bus,
  ): Promise<RecordedLane | undefined> {
    for (let done = 0; done < schedules; done += contests) {
      const random = createRandom(seed + done);
      const lanes = await record({ random, clock, busOf, prefix: `${prefix}-${done}-`, contests });
      const faulty = lanes.find(({ history, startsAt }) => !isLinearizable(history, startsAt));
      if (faulty) return faulty;
    }
    return undefined;
  }

  async function expectNoFault(schedules: number, door: string, bus: Bus): Promise<void> {
    const count = Math.ceil((schedulesAsked || schedules) / contests) * contests;
    const fault = await findFault(count, door, () => bus);
    expect(fault && print(fault)).toBeUndefined();
    console.log(`checked ${count} schedules over ${store.name}, ${door}`);
  }

  test(
    'answers as if one action came after the other, in 1,200 schedules',
    () => expectNoFault(1_200, 'engine', engine.bus),
    secondsMax * 1000,
  );

  test(
    'does so through HTTP, in 400 schedules',
    async () => {
      const { bus, close } = await httpDoor.open(engine.bus);
      try {
        await expectNoFault(400, 'http', bus);
      } finally {
        await close();
      }
    },
    secondsMax * 1000,
  );

  for (const { fault, toBus } of mutants) {
    test(`would not, and it would be noticed, if the bus ${fault}`, async () => {
      const clients = [0, 1, 2, 3].map((client) => toBus(engine.bus, engine.store, client));
      const prefix = fault.replaceAll(' ', '-');
      const busOf = (client: number) => clients[client] as Bus;
      expect(await findFault(2_000, prefix, busOf)).toBeDefined();
    }, 90_000);
  }
});

function print({ lane, startsAt, history }: RecordedLane): string {
  const lines = history
    .toSorted((a, b) => a.began - b.began)
    .map(({ began, ended, ...what }) => `${began}..${ended} ${JSON.stringify(what)}`);
  return [`lane ${lane} from ${startsAt}, HISTORY_SEED=${seed}`, ...lines].join('\n');
}
