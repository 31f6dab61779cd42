import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../src/compose.ts';
import type { Bus } from '../src/contract/contract.ts';
import { writerFile } from './build.ts';
import { isLinearizable } from './histories/checker.ts';
import { mutants } from './histories/mutants.ts';
import { createRandom, type RecordedLane, record } from './histories/schedule.ts';
import { createTestClock, type TestClock } from './suite/clock.ts';
import { httpDoor } from './suite/doors/http.ts';
import { type StoreSource, stores } from './suite/stores.ts';

const contests = 10;
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

  /** The first lane whose history no order explains; slower stores and doors get fewer rounds, but never none. */
  async function findFault(
    { rounds, seconds }: Readonly<{ rounds: number; seconds: number }>,
    prefix: string,
    busOf: (client: number) => Bus,
  ): Promise<RecordedLane | undefined> {
    const end = performance.now() + seconds * 1000;
    for (let round = 0; round < rounds && (round < 10 || performance.now() < end); round += 1) {
      const random = createRandom(seed + round);
      const lanes = await record({ random, clock, busOf, prefix: `${prefix}-${round}-`, contests });
      const faulty = lanes.find(({ history, startsAt }) => !isLinearizable(history, startsAt));
      if (faulty) return faulty;
    }
    return undefined;
  }

  test('answers as if one deed came after the other, in up to 2,000 contests', async () => {
    const fault = await findFault({ rounds: 200, seconds: 6 }, 'engine', () => engine.bus);
    expect(fault && print(fault)).toBeUndefined();
  }, 60_000);

  test('does so through HTTP, in up to 1,000 contests', async () => {
    const { bus, close } = await httpDoor.open(engine.bus);
    try {
      const fault = await findFault({ rounds: 100, seconds: 4 }, 'http', () => bus);
      expect(fault && print(fault)).toBeUndefined();
    } finally {
      await close();
    }
  }, 60_000);

  for (const { fault, toBus } of mutants) {
    test(`would not, and it would be noticed, if the bus ${fault}`, async () => {
      const clients = [0, 1, 2, 3].map((client) => toBus(engine.bus, engine.store, client));
      const prefix = fault.replaceAll(' ', '-');
      const busOf = (client: number) => clients[client] as Bus;
      expect(await findFault({ rounds: 50, seconds: 60 }, prefix, busOf)).toBeDefined();
    }, 90_000);
  }
});

function print({ lane, startsAt, history }: RecordedLane): string {
  const lines = history
    .toSorted((a, b) => a.began - b.began)
    .map(({ began, ended, ...what }) => `${began}..${ended} ${JSON.stringify(what)}`);
  return [`lane ${lane} from ${startsAt}, HISTORY_SEED=${seed}`, ...lines].join('\n');
}
