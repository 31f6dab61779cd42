import { getEventListeners, setMaxListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBus } from '../src/bus/bus.ts';
import type { Bus, Call } from '../src/contract/contract.ts';
import type { BusError } from '../src/contract/errors.ts';
import type { Clock } from '../src/store/clock.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { writerFile } from './build.ts';
import { until } from './suite/ask.ts';
import { createTestClock } from './suite/clock.ts';
import { engineDoor } from './suite/doors/engine.ts';
import { httpDoor } from './suite/doors/http.ts';
import { type StoreSource, stores } from './suite/stores.ts';

/** More callers than a rule of the suite lets in: what holds for two must hold for thousands. */
describe.each(stores)('many callers at once over $name', (kind) => {
  let source: StoreSource;
  beforeAll(async () => {
    source = await kind.start();
  });
  afterAll(() => source.stop());

  describe.each([engineDoor, httpDoor])('through $name', (door) => {
    let behind: Awaited<ReturnType<typeof openBehind>>;
    let bus: Bus;
    let closeDoor: () => Promise<void>;
    beforeAll(async () => {
      behind = await openBehind(await source.freshLocation());
      ({ bus, close: closeDoor } = await door.open(behind.engine));
    });
    afterAll(async () => {
      await closeDoor();
      await behind.close();
    });

    test('shows a reader who pages while 32 write every id exactly once, in order', async () => {
      const [writers, postsEach] = [32, 60];
      const writing = Array.from({ length: writers }, async (_, writer) => {
        for (let turn = 0; turn < postsEach; turn += 1) {
          await bus.postMessage({ topic: `${writer % 3}`, sender: `${writer}`, body: `${turn}` });
        }
      });
      const ids: number[] = [];
      const turns = new Map<string, number>();
      while (ids.length < writers * postsEach) {
        const { messages, cursor } = await bus.readMessages({
          since_id: ids.at(-1) ?? 0,
          limit: 7,
          wait_s: 5,
        });
        for (const { id, sender, body } of messages) {
          expect([sender, Number(body)]).toEqual([sender, turns.get(sender) ?? 0]);
          turns.set(sender, Number(body) + 1);
          ids.push(id);
        }
        expect(cursor).toBe(ids.at(-1) ?? 0);
      }
      await Promise.all(writing);
      expect(ids).toEqual(ids.map((_, index) => index + 1));
    });

    test('grants each of 40 lanes to one of 32 who claim it, and tells every other by whom', async () => {
      for (let round = 0; round < 40; round += 1) {
        const lane = `lane-${round}`;
        const owners = Array.from({ length: 32 }, (_, owner) => `owner ${(owner + round) % 32}`);
        const outcomes = await Promise.allSettled(owners.map((owner) => bus.claimLane({ lane, owner })));
        const granted = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
        const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? outcome.reason : []));
        expect(granted).toMatchObject([{ decision: 'claim', lane: { lane, fence: 1 } }]);
        const data = { lane, owner: granted[0]?.lane.owner, expires_in_s: 300, fence: 1, waiters: 0 };
        expect(refused.map((refusal: BusError) => [refusal.code, refusal.data])).toEqual(
          Array(31).fill(['lane_held', data]),
        );
      }
    });

    test('serves 100 who wait for one lane in the order they came', async () => {
      await behind.engine.claimLane({ lane: 'line', owner: 'first' });
      const served: string[] = [];
      const claims: Promise<void>[] = [];
      for (let place = 1; place <= 100; place += 1) {
        const owner = `owner ${place}`;
        claims.push(
          bus.claimLane({ lane: 'line', owner, wait_s: 300 }).then(async ({ lane: { fence } }) => {
            served.push(`${fence}: ${owner}`);
            await bus.releaseLane({ lane: 'line', owner, fence });
          }),
        );
        await until(`${owner} waits`, async () => (await behind.waiterCount()) === place);
      }
      await behind.engine.releaseLane({ lane: 'line', owner: 'first' });
      await Promise.all(claims);
      expect(served).toEqual(Array.from({ length: 100 }, (_, index) => `${index + 2}: owner ${index + 1}`));
      await until('nobody waits', () => behind.clock.alarms().length === 0);
    });

    test('wakes those of 5,000 waiting callers whom a post concerns, and nobody else', async () => {
      const [callers, topics] = [5_000, 50];
      const { cursor: since_id } = await bus.readMessages({});
      const answered: string[] = [];
      const answers = Array.from({ length: callers }, async (_, caller) => {
        const topic = `wait-${caller % topics}`;
        const page = await bus.readMessages({ topic, since_id, wait_s: 300 });
        answered.push(...page.messages.map(({ body }) => `${topic}: ${body}`));
      });
      await until('all wait', () => behind.clock.alarms().length === callers, 60);
      behind.topicsRead.clear();
      await behind.engine.postMessage({ topic: 'wait-7', sender: 'ada', body: 'news' });
      await until('those of the topic are answered', () => answered.length >= callers / topics);
      expect(answered).toEqual(Array(callers / topics).fill('wait-7: news'));
      expect(behind.clock.alarms()).toHaveLength(callers - callers / topics);
      // Whoever is woken looks into the store.
      expect([...behind.topicsRead]).toEqual(['wait-7']);
      behind.clock.advance(300);
      await Promise.all(answers);
      expect(answered).toHaveLength(callers / topics);
      expect(behind.clock.alarms()).toEqual([]);
    }, 90_000);

    const batches = door === engineDoor ? 10 : 3;
    test(`keeps nothing of ${batches},000 callers who went away while they waited`, async () => {
      for (let lane = 0; lane < 20; lane += 1) {
        await behind.engine.claimLane({ lane: `held-${lane}`, owner: 'holder', lease_s: 86_400 });
      }
      for (let batch = 0; batch < batches; batch += 1) {
        const caller = new AbortController();
        const { signal } = caller;
        setMaxListeners(0, signal);
        const calls = Array.from({ length: 1_000 }, (_, place) =>
          place % 2 === 0
            ? bus.readMessages({ topic: `quiet-${place % 20}`, since_id: 0, wait_s: 300 }, { signal })
            : bus.claimLane({ lane: `held-${place % 20}`, owner: `${place}`, wait_s: 300 }, { signal }),
        );
        await until('half of them wait for lanes', async () => (await behind.waiterCount()) === 500, 30);
        await until('all wait', () => behind.clock.alarms().length === 1_000 + 10, 30);
        caller.abort();
        const outcomes = await Promise.allSettled(calls);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([]);
        await until('nobody is in line', async () => (await behind.waiterCount()) === 0, 30);
        await until('no alarm is set', () => behind.clock.alarms().length === 0, 30);
        expect(getEventListeners(signal, 'abort')).toEqual([]);
      }
    }, 90_000);
  });

  test('tells the truth to a repeat of a claim whose caller went away as it was served', async () => {
    const { engine, waiterCount, close } = await openBehind(await source.freshLocation());
    await engine.claimLane({ lane: 'feeds', owner: 'other' });
    const caller = new AbortController();
    const claim = (call: Call) => engine.claimLane({ lane: 'feeds', owner: 'ada', wait_s: 60 }, call);
    const lost = claim({ idempotencyKey: 'once', signal: caller.signal });
    const outcome = lost.catch((error: Error) => error.name);
    await until('it waits', async () => (await waiterCount()) === 1);
    const released = engine.releaseLane({ lane: 'feeds', owner: 'other' });
    caller.abort();
    await released;
    expect(await outcome).toBe('AbortError');
    expect(await engine.getLane({ lane: 'feeds' })).toMatchObject({ state: 'free', fence: 2 });
    const repeated = await claim({ idempotencyKey: 'once' });
    expect(repeated).toMatchObject({ decision: 'claim', lane: { owner: 'ada', fence: 3 } });
    expect(await engine.getLane({ lane: 'feeds' })).toMatchObject({ state: 'held', lane: repeated.lane });
    await close();
  });

  test('serves who waits before a newcomer also where nobody noticed in time that the lease ran out', async () => {
    const deaf = { schedule: () => () => {} };
    const { engine, clock, waiterCount, close } = await openBehind(await source.freshLocation(), deaf);
    await engine.claimLane({ lane: 'feeds', owner: 'gone', lease_s: 10 });
    const claim = engine.claimLane({ lane: 'feeds', owner: 'first', wait_s: 60 });
    await until('it waits', async () => (await waiterCount()) === 1);
    clock.advance(10);
    const refusal = await engine.claimLane({ lane: 'feeds', owner: 'newcomer' }).catch((error) => error);
    expect(refusal.data).toMatchObject({ owner: 'first', fence: 2, waiters: 0 });
    expect(await claim).toMatchObject({ decision: 'steal', lane: { owner: 'first', fence: 2 } });
    await close();
  });

  test('answers a repeat with the grant that its own turn hands out, also where nobody noticed in time', async () => {
    const deaf = { schedule: () => () => {} };
    const { engine, clock, waiterCount, close } = await openBehind(await source.freshLocation(), deaf);
    await engine.claimLane({ lane: 'feeds', owner: 'gone', lease_s: 10 });
    const claim = (wait_s: number) =>
      engine.claimLane({ lane: 'feeds', owner: 'ada', wait_s }, { idempotencyKey: 'once' });
    const waiting = claim(60);
    await until('it waits', async () => (await waiterCount()) === 1);
    clock.advance(10);
    const repeated = await claim(60);
    expect(repeated).toMatchObject({ decision: 'steal', lane: { owner: 'ada', fence: 2 } });
    expect([await waiting, await claim(0)]).toEqual([repeated, repeated]);
    await close();
  });

  test('leaves no listener on the signal of a caller who was answered', async () => {
    const { engine, clock, close } = await openBehind(await source.freshLocation());
    const { signal } = new AbortController();
    const inVain = engine.readMessages({ since_id: 0, wait_s: 10 }, { signal });
    await until('it waits', () => clock.alarms().length === 1);
    clock.advance(10);
    await inVain;
    const served = engine.readMessages({ since_id: 0, wait_s: 10 }, { signal });
    await until('it waits', () => clock.alarms().length === 1);
    await engine.postMessage({ topic: 'build', sender: 'ada', body: 'green' });
    await served;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await close();
  });
});

/** An engine of which is known what it reads. */
async function openBehind(location: string, faults: Partial<Clock> = {}) {
  const clock = createTestClock();
  const opened = await openStore({ location, writerFile, clockFrom: () => ({ ...clock, ...faults }) });
  const topicsRead = new Set<string | undefined>();
  const store: Store = {
    ...opened,
    readMessages(query) {
      topicsRead.add(query.topic);
      return opened.readMessages(query);
    },
  };
  const settings = { leaseSecondsMax: 86_400, isSecretArmed: false, version: 'races', instance: 'races' };
  const engine = createBus({ store, settings });
  return {
    engine,
    clock,
    topicsRead,
    waiterCount: async () => (await engine.getBusStatus({}))._meta.waiter_count,
    async close() {
      engine.close();
      await opened.close();
    },
  };
}
