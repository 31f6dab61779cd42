import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDuration } from '../../src/cli/duration.ts';
import { settings } from '../../src/cli/settings.ts';
import type { BusError } from '../../src/contract/errors.ts';
import { postMany, refusalOf, soon, until } from '../suite/ask.ts';
import { createTestClock } from '../suite/clock.ts';
import { createTestSchemaOn, type TestSchema } from '../suite/postgres.ts';
import { type PostgresServer, startPostgresServer } from '../suite/postgres-server.ts';
import { collectEventIds, idsUpTo, openOwnBus, openToldBus } from './buses.ts';
import { startProxy } from './proxy.ts';

const message = { topic: 'log', sender: 'ada', body: 'hello' };

describe('while the database is away', () => {
  let server: PostgresServer;
  let place: TestSchema;
  beforeAll(async () => {
    server = await startPostgresServer();
    place = createTestSchemaOn(server.url);
  });
  afterAll(() => server.remove());

  test.each(['fast', 'immediate'] as const)(
    'says so, keeps who waits, and goes on by itself (%s stop)',
    async (how) => {
      const [one, other] = [await openOwnBus(place.url), await openOwnBus(place.url)];
      const ids = collectEventIds(other.store);
      const { id: firstId } = await one.bus.postMessage(message);
      const { last_event_id: eventId } = (await one.bus.getBusStatus({}))._meta;
      const waitingReader = other.bus.readMessages({ topic: how, since_id: firstId, wait_s: 60 });
      await one.bus.claimLane({ lane: how, owner: 'ada' });
      const waitingClaim = other.bus.claimLane({ lane: how, owner: 'bob', wait_s: 60 });
      await until('bob waits', async () => (await one.bus.getLane({ lane: how })).waiting.length === 1);

      await server.stop(how);
      const calls: Promise<unknown>[] = [
        one.bus.postMessage(message),
        one.bus.claimLane({ lane: 'free', owner: 'ada' }),
        one.bus.readMessages({}),
        one.bus.getBusStatus({}),
      ];
      for (const refusal of await soon('refusals', Promise.all(calls.map(refusalOf)))) {
        expect(refusal).toMatchObject({ status: 503, code: 'unavailable', data: { retry_after_s: 1 } });
      }
      await expect(one.store.probe()).rejects.toMatchObject({ code: 'unavailable' });

      await server.start();
      const { id } = await soon('a post', postWhenBack(one.bus), 5);
      expect(id).toBe(firstId + 1);
      await one.bus.postMessage({ ...message, topic: how });
      expect((await soon('the reader', waitingReader, 5)).messages).toMatchObject([{ id: id + 1 }]);
      await one.bus.releaseLane({ lane: how, owner: 'ada' });
      expect(await soon('the claim', waitingClaim, 5)).toMatchObject({ lane: { owner: 'bob', fence: 2 } });
      // Claim, two posts, release and claim: each once, in order, though the connection broke in between.
      await until('all events came', () => ids.at(-1) === eventId + 5);
      expect(ids).toEqual(idsUpTo(eventId + 5).slice(eventId - 1));
    },
  );

  test('hears of what others did while only its own connections were cut', async () => {
    const proxy = await startProxy(server.port);
    const one = await openOwnBus(place.url);
    const cutOff = await openOwnBus(place.url.replace(`:${server.port}/`, `:${proxy.port}/`));
    const ids = collectEventIds(cutOff.store);
    const { id } = await one.bus.postMessage(message);
    await until('it heard', () => ids.length === 1);
    proxy.cut();
    await Promise.all(idsUpTo(30).map(() => one.bus.postMessage(message)));
    await until('it heard of all', () => ids.length === 31);
    expect(ids).toEqual(idsUpTo(30).reduce((all) => [...all, (all.at(-1) ?? 0) + 1], [ids[0] ?? 0]));
    expect((await cutOff.bus.postMessage(message)).id).toBe(id + 31);
  });

  test('tells a caller that nobody knows what became of its write, and keeps it once', async () => {
    const proxy = await startProxy(server.port);
    const one = await openOwnBus(place.url);
    const cutOff = await openOwnBus(place.url.replace(`:${server.port}/`, `:${proxy.port}/`));
    const { id } = await cutOff.bus.postMessage(message);
    const ids = collectEventIds(cutOff.store);
    const key = { idempotencyKey: 'once' };
    proxy.cutAtCommit();
    const refusal: BusError = await refusalOf(cutOff.bus.postMessage({ ...message, topic: 'cut' }, key));
    expect(refusal).toMatchObject({ code: 'unavailable', data: { retry_after_s: 1 } });
    expect(refusal.detail).not.toContain('nothing was kept');
    expect(refusal.detail).toContain('idempotency key');

    const repeated = await one.bus.postMessage({ ...message, topic: 'cut' }, key);
    expect(repeated.id).toBe(id + 1);
    expect((await one.bus.readMessages({ topic: 'cut' })).messages).toHaveLength(1);
    // What it could not tell its caller, it tells its listeners all the same.
    await until('the event came', () => ids.length === 1);
    expect((await cutOff.bus.postMessage(message)).id).toBe(id + 2);
  });

  test.each([
    ['a pooler lost its server', 'FATAL', '08P01'],
    ['the disk of the log failed', 'PANIC', '58030'],
    ['the disk was full at the last moment', 'ERROR', '53100'],
    ['a server that speaks German was told to stop', 'SCHWERWIEGEND', '57P01'],
  ])('never says that nothing was kept of what was: %s', async (how, severity, code) => {
    const proxy = await startProxy(server.port);
    const one = await openOwnBus(place.url);
    const cutOff = await openOwnBus(place.url.replace(`:${server.port}/`, `:${proxy.port}/`));
    await cutOff.bus.postMessage(message);
    proxy.failAtCommit({ severity, code });
    const refusal = await refusalOf(cutOff.bus.postMessage({ ...message, topic: how }));
    expect(refusal).toMatchObject({ status: 503, code: 'unavailable' });
    await until('it was kept', async () => {
      const { messages } = await one.bus.readMessages({ topic: how });
      return messages.length === 1;
    });
    expect(refusal.detail).not.toContain('nothing was kept');
    expect(refusal.detail).toContain('did not say whether the write was kept');
  });

  test('says that nothing was kept when the server undid the transaction, and why', async () => {
    const { url, ask } = createTestSchemaOn(server.url);
    const { bus } = await openOwnBus(url);
    await bus.postMessage(message);
    await ask(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$`);
    await ask('CREATE TRIGGER fail BEFORE INSERT ON messages EXECUTE FUNCTION fail()');
    const refusal = await refusalOf(bus.postMessage(message));
    expect(refusal.detail).toBe('the disk of the database is full; nothing was kept: repeat the call in 1 s');
    expect((await bus.readMessages({})).messages).toHaveLength(1);
  });

  test('that was put back to an earlier state is noticed, and who waits hears of what comes then', async () => {
    const { url, ask } = createTestSchemaOn(server.url);
    const [one, other] = [await openOwnBus(url), await openToldBus(url)];
    await postMany(one.bus, 10);
    await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
    const ids = collectEventIds(other.store);
    const topic = { topic: 'news', since_id: 4, wait_s: 60 };
    const waiting = other.bus.readMessages(topic);
    const claiming = other.bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 60 });
    await until('bob waits', async () => (await one.bus.getLane({ lane: 'docs' })).waiting.length === 1);

    await ask(
      `WITH a AS (DELETE FROM messages WHERE id > 4), b AS (DELETE FROM events WHERE id > 4),
         c AS (DELETE FROM lanes), d AS (DELETE FROM waiters)
       UPDATE counters SET last_message_id = 4, last_event_id = 4, message_count = 4`,
    );
    await until('it is noticed', () => other.notices.length > 0);
    expect(other.notices).toEqual([
      {
        level: 'warn',
        message: 'the database went back to an earlier state: what was kept since is gone',
        data: { lastEventId: 4, before: 11 },
      },
    ]);
    // Who waits for a lane looks again, and finds it free.
    expect(await soon('the claim', claiming)).toMatchObject({ decision: 'claim', lane: { owner: 'bob' } });
    expect(await one.bus.postMessage({ ...message, topic: 'news' })).toMatchObject({ id: 5 });
    expect((await soon('the reader', waiting)).messages).toMatchObject([{ id: 5 }]);
    await until('both events came', () => ids.at(-1) === 6);
    expect(ids.slice(-2)).toEqual([5, 6]);
  });

  test('says so before a client would give up, also when its host swallows everything', async () => {
    const proxy = await startProxy(server.port);
    const { url } = createTestSchemaOn(server.url);
    const { bus } = await openOwnBus(url.replace(`:${server.port}/`, `:${proxy.port}/`));
    await bus.postMessage(message);
    proxy.swallow();
    // The second waits until the first is given up, and then for a connection.
    const [first, second] = [refusalOf(bus.postMessage(message)), later(100, () => bus.postMessage(message))];
    const secondsOfClient = parseDuration(settings.timeoutSeconds.defaultText) ?? 0;
    const refusals = await soon('both', Promise.all([first, second]), secondsOfClient - 2);
    for (const { code } of refusals) expect(code).toBe('unavailable');
  });

  test.each(['by its own repeat', 'before its repeat came'])(
    'lets a grant alone that a repeat was told of, though the bus of the first call learns of it late: served %s',
    async (how) => {
      const proxy = await startProxy(server.port);
      const { url } = createTestSchemaOn(server.url);
      const [clock, lateClock] = [createTestClock(), createTestClock()];
      const late = await openOwnBus(url.replace(`:${server.port}/`, `:${proxy.port}/`), lateClock);
      const { bus } = await openOwnBus(url, clock);
      const [claim, key] = [{ lane: 'docs', owner: 'bob' }, { idempotencyKey: how.replaceAll(' ', '-') }];
      await bus.claimLane({ lane: 'docs', owner: 'ada', lease_s: 10 });
      const controller = new AbortController();
      const waiting = late.bus.claimLane({ ...claim, wait_s: 60 }, { ...key, signal: controller.signal });
      waiting.catch(() => {});
      await until('bob waits', async () => (await bus.getLane({ lane: 'docs' })).waiting.length === 1);

      proxy.close();
      controller.abort();
      clock.advance(11);
      if (how === 'before its repeat came') await refusalOf(bus.claimLane({ lane: 'docs', owner: 'zoe' }));
      const granted = await bus.claimLane(claim, key);
      expect(granted).toMatchObject({ decision: 'steal', lane: { owner: 'bob', fence: 2 } });

      proxy.open();
      await until('the other bus is back', () =>
        late.bus.getBusStatus({}).then(
          ({ _meta: meta }) => meta.last_event_id === 2,
          () => false,
        ),
      );
      // Its next attempt to give up the place of a caller that is gone.
      lateClock.advance(2);
      await expect(waiting).rejects.toThrow();
      expect(await bus.getLane({ lane: 'docs' })).toMatchObject({ state: 'held', fence: 2 });
      expect(await bus.claimLane(claim, key)).toEqual(granted);
    },
  );

  test('lets the others go on when a bus stops in the middle of a transaction', async () => {
    const proxy = await startProxy(server.port);
    const one = await openOwnBus(place.url);
    const frozen = await openOwnBus(place.url.replace(`:${server.port}/`, `:${proxy.port}/`));
    const { id } = await frozen.bus.postMessage(message);
    proxy.freezeAtBegin();
    const stopped = refusalOf(frozen.bus.postMessage(message));
    await until('it holds the order lock', async () => {
      const locked = await place.ask('SELECT FROM counters FOR UPDATE SKIP LOCKED');
      return locked.length === 0;
    });
    expect((await soon('a post', one.bus.postMessage(message), 4)).id).toBe(id + 1);
    proxy.cut();
    expect((await stopped).code).toBe('unavailable');
  });

  test('does not take a late answer to a transaction that died for a database that went back', async () => {
    const proxy = await startProxy(server.port);
    const { url, ask } = createTestSchemaOn(server.url);
    const one = await openOwnBus(url);
    const late = await openToldBus(url.replace(`:${server.port}/`, `:${proxy.port}/`));
    await late.bus.postMessage(message);
    const ids = collectEventIds(late.store);
    proxy.freezeAtBegin();
    const stopped = refusalOf(late.bus.postMessage(message));
    await until('it holds the order lock', async () => {
      const locked = await ask('SELECT FROM counters FOR UPDATE SKIP LOCKED');
      return locked.length === 0;
    });
    // Once the server has ended the transaction, the others go on, and the late one hears of it.
    const { id } = await soon('a post', postWhenBack(one.bus), 5);
    await until('it heard', () => ids.length === id - 1);
    proxy.thaw();
    expect((await stopped).code).toBe('unavailable');
    await until('it goes on', async () => (await postWhenBack(late.bus)).id > id);
    expect(late.notices.map(({ message: what }) => what)).not.toContainEqual(
      expect.stringContaining('went back'),
    );
  });
});

async function later(milliseconds: number, ask: () => Promise<unknown>): Promise<BusError> {
  await pause(milliseconds);
  return refusalOf(ask());
}

async function postWhenBack(bus: Awaited<ReturnType<typeof openOwnBus>>['bus']) {
  for (;;) {
    try {
      return await bus.postMessage(message);
    } catch (error) {
      if ((error as BusError).code !== 'unavailable') throw error;
      await pause(50);
    }
  }
}
