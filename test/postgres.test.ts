import { describe, expect, test } from 'vitest';
import type { Bus } from '../src/contract/contract.ts';
import { isRefusal } from '../src/contract/errors.ts';
import { limits } from '../src/contract/limits.ts';
import { collectEventIds, createOwnSchema, idsUpTo, openOwnBus, openTwoBuses } from './postgres/buses.ts';
import { refusalOf, soon, until } from './suite/ask.ts';
import { createTestClock } from './suite/clock.ts';

/** Posts until so many were kept by this bus, several at a time. */
async function postFrom(bus: Bus, sender: string, count: number): Promise<number[]> {
  const posts = idsUpTo(count).map((body) => bus.postMessage({ topic: 'log', sender, body: String(body) }));
  return (await Promise.all(posts)).map(({ id }) => id);
}

describe('two buses that share a database', () => {
  test('give ids without gaps in the order of their commits, so that a reader misses none', async () => {
    const { one, other } = await openTwoBuses();
    const writing = Promise.all(
      idsUpTo(20).flatMap((writer) => [
        postFrom(one.bus, `one-${writer}`, 15),
        postFrom(other.bus, `other-${writer}`, 15),
      ]),
    );
    const seen: number[] = [];
    while (seen.length < 600) {
      const page = await other.bus.readMessages({ since_id: seen.length, limit: 500, wait_s: 5 });
      seen.push(...page.messages.map(({ id }) => id));
      // A row that becomes visible after a later one would leave a hole here.
      expect(seen).toEqual(idsUpTo(seen.length));
    }
    expect((await writing).flat().sort((a, b) => a - b)).toEqual(idsUpTo(600));
  });

  test('hand out every event at each of them once, in order', async () => {
    const { one, other } = await openTwoBuses();
    const [atOne, atOther] = [collectEventIds(one.store), collectEventIds(other.store)];
    await Promise.all(
      idsUpTo(25).flatMap((writer) => [
        postFrom(one.bus, `one-${writer}`, 4),
        postFrom(other.bus, `other-${writer}`, 4),
      ]),
    );
    await until('both have heard of all', () => Math.min(atOne.length, atOther.length) >= 200);
    expect(atOne).toEqual(idsUpTo(200));
    expect(atOther).toEqual(idsUpTo(200));
  });

  test('grant each lane to one of those who claim it at both, and tell every other by whom', async () => {
    const { one, other } = await openTwoBuses();
    const owners = ['ada', 'bob', 'cyd', 'dee', 'eve', 'fay'];
    for (const lane of idsUpTo(30).map((number) => `lane-${number}`)) {
      const claims = owners.map(async (owner, index) => {
        const { bus } = index % 2 === 0 ? one : other;
        const outcome = await bus.claimLane({ lane, owner }).catch((error: unknown) => error);
        return { owner, outcome };
      });
      const outcomes = await Promise.all(claims);
      const granted = outcomes.filter(({ outcome }) => !(outcome instanceof Error));
      expect(granted).toHaveLength(1);
      expect(granted[0]?.outcome).toMatchObject({ decision: 'claim', lane: { fence: 1 } });
      for (const { owner, outcome } of outcomes) {
        if (owner === granted[0]?.owner) continue;
        expect(isRefusal(outcome, 'lane_held') && outcome.data).toMatchObject({
          lane,
          owner: granted[0]?.owner,
          fence: 1,
        });
      }
    }
  });

  test('wake who waits at the other for a message, and for an event', async () => {
    const { one, other } = await openTwoBuses();
    await one.bus.postMessage({ topic: 'other', sender: 'ada', body: 'nothing for them' });
    const message = other.bus.readMessages({ topic: 'news', since_id: 0, wait_s: 60 });
    const event = other.bus.readEvents({ since: 1, wait_s: 60 });
    await one.bus.postMessage({ topic: 'news', sender: 'ada', body: 'hello' });
    expect((await soon('the message', message)).messages).toMatchObject([{ id: 2, body: 'hello' }]);
    expect((await soon('the event', event)).events).toMatchObject([{ id: 2, kind: 'message_posted' }]);
  });

  test('leave a lane to the repeat of a claim whose caller goes away at the other in the same moment', async () => {
    const place = await createOwnSchema();
    const clock = createTestClock();
    // No alarm rings at the other, so it is the turn of the repeat that finds the lease run out.
    const [one, other] = [await openOwnBus(place.url, clock), await openOwnBus(place.url, createTestClock())];
    const lanes = idsUpTo(20).map((number) => `lane-${number}`);
    for (const lane of lanes) await one.bus.claimLane({ lane, owner: 'ada', lease_s: 10 });
    const waits = lanes.map((lane) => {
      const controller = new AbortController();
      const call = { idempotencyKey: lane, signal: controller.signal };
      const waiting = other.bus.claimLane({ lane, owner: 'bob', wait_s: 60 }, call).catch(() => {});
      return { lane, waiting, leave: () => controller.abort() };
    });
    await until('all wait', async () => (await one.bus.getBusStatus({})).waiting.length === lanes.length);
    clock.advance(11);
    const repeats = waits.map(({ lane, leave }) => {
      const repeat = one.bus.claimLane({ lane, owner: 'bob' }, { idempotencyKey: lane });
      leave();
      return repeat;
    });
    const granted = await Promise.all(repeats);
    await Promise.all(waits.map(({ waiting }) => waiting));
    for (const [index, lane] of lanes.entries()) {
      expect(await one.bus.getLane({ lane }), lane).toMatchObject({ state: 'held', lane: { owner: 'bob' } });
      const again = await other.bus.claimLane({ lane, owner: 'bob' }, { idempotencyKey: lane });
      expect(again).toEqual(granted[index]);
    }
  });

  test('answer a repeated write as the other answered it first, and keep one', async () => {
    const { one, other } = await openTwoBuses();
    const post = { topic: 'log', sender: 'ada', body: 'once' };
    const first = await one.bus.postMessage(post, { idempotencyKey: 'k1' });
    expect(await other.bus.postMessage(post, { idempotencyKey: 'k1' })).toEqual(first);
    const refusal = await refusalOf(other.bus.postMessage({ ...post, body: 'x' }, { idempotencyKey: 'k1' }));
    expect(refusal.code).toBe('idempotency_conflict');

    const atOnce = idsUpTo(10).map((turn) =>
      (turn % 2 === 0 ? one : other).bus.postMessage(post, { idempotencyKey: 'k2' }),
    );
    expect(new Set((await Promise.all(atOnce)).map(({ id }) => id)).size).toBe(1);
    expect((await one.bus.getBusStatus({}))._meta.message_count).toBe(2);
  });
});

describe('the clock of the database', () => {
  test('judges, and never runs backwards, also when the database is set back', async () => {
    const place = await createOwnSchema();
    const { bus } = await openOwnBus(place.url);
    const timeOf = async () => Date.parse((await bus.postMessage({ topic: 't', sender: 's', body: 'b' })).ts);
    const databaseNow = async () =>
      Number((await place.ask('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now'))[0]?.now);

    const [before, posted, after] = [await databaseNow(), await timeOf(), await databaseNow()];
    expect(posted).toBeGreaterThanOrEqual(Math.floor(before));
    expect(posted).toBeLessThanOrEqual(after);

    const ahead = Math.floor(after) + 3_600_000;
    await place.ask('UPDATE counters SET clock_ms = $1', [ahead]);
    expect(await timeOf()).toBe(ahead);
    const shown = Date.parse((await bus.getBusStatus({}))._meta.ts);
    expect(shown).toBeGreaterThanOrEqual(ahead);
    expect(shown).toBeLessThan(ahead + 10_000);
  });

  test('set back by an hour neither prolongs a lease nor tells two stories of it', async () => {
    const place = await createOwnSchema();
    const [one, other] = [await openOwnBus(place.url), await openOwnBus(place.url)];
    await place.ask('UPDATE counters SET clock_ms = floor(extract(epoch FROM now()) * 1000) + 3600000');
    await one.bus.claimLane({ lane: 'docs', owner: 'ada', lease_s: 1 });
    await one.bus.claimLane({ lane: 'long', owner: 'ada', lease_s: 300 });
    expect((await refusalOf(other.bus.claimLane({ lane: 'docs', owner: 'bob' }))).code).toBe('lane_held');
    const waiting = other.bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 5 });
    expect(await soon('bob is served', waiting, 4)).toMatchObject({ decision: 'steal' });
    for (const { bus } of [one, other]) {
      const { active_lanes: active, orphaned_claims: orphaned } = await bus.getBusStatus({});
      expect([active.map(({ lane }) => lane), orphaned]).toEqual([['long', 'docs'], []]);
      for (const lane of active) expect(lane.expires_in_s).toBeGreaterThan(290);
      expect(await bus.getLane({ lane: 'long' })).toMatchObject({ state: 'held' });
    }
    // A bus that comes now finds the time as the others have it.
    const before = Date.parse((await one.bus.getBusStatus({}))._meta.ts);
    await until('the time is kept', async () => {
      const [row] = await place.ask('SELECT clock_ms::bigint AS kept FROM counters');
      return Number(row?.kept) >= before;
    });
    const late = await openOwnBus(place.url);
    expect(Date.parse((await late.bus.getBusStatus({}))._meta.ts)).toBeGreaterThanOrEqual(before);
  });

  test('ends a lease in real time, and hands the lane over across processes', async () => {
    const place = await createOwnSchema();
    const [one, other] = [await openOwnBus(place.url), await openOwnBus(place.url)];
    await one.bus.claimLane({ lane: 'docs', owner: 'ada', lease_s: 1 });
    const startedAt = performance.now();
    const served = await soon(
      'bob is served',
      other.bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 5 }),
      4,
    );
    expect(served).toMatchObject({ decision: 'steal', lane: { fence: 2 } });
    expect(performance.now() - startedAt).toBeGreaterThan(900);
  });
});

test('of more first answers than are kept the oldest is forgotten, and the others are still given', async () => {
  const { place, one, clock } = await openTwoBuses();
  const post = (idempotencyKey: string) =>
    one.bus.postMessage({ topic: 't', sender: 's', body: 'b' }, { idempotencyKey });
  await place.ask(
    `INSERT INTO answers SELECT 'key-' || i, 'of another', '{}', $1::bigint + i FROM generate_series(1, 3) AS i`,
    [clock.now() + 1_000],
  );
  await place.ask('UPDATE counters SET answer_count = $1', [limits.idempotencyKeysKeptMax]);
  expect((await refusalOf(post('key-1'))).code).toBe('idempotency_conflict');
  const first = await post('new');
  expect((await post('key-1')).id).toBe(2);
  expect((await refusalOf(post('key-3'))).code).toBe('idempotency_conflict');
  expect(await post('new')).toEqual(first);
  expect(await place.ask('SELECT answer_count FROM counters')).toEqual([
    { answer_count: String(limits.idempotencyKeysKeptMax) },
  ]);
  expect(await place.ask('SELECT key FROM answers ORDER BY kept_until')).toEqual([
    { key: 'key-3' },
    { key: 'new' },
    { key: 'key-1' },
  ]);
});

test('a claim that is refused costs neither a lock nor the disk', async () => {
  const { place, one } = await openTwoBuses();
  await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
  // A row that a transaction writes or only locks carries the number of that transaction.
  const touchedBy = () =>
    place.ask(`SELECT counters.xmin::text AS written, counters.xmax::text AS locked,
      lanes.xmin::text AS lane_written, lanes.xmax::text AS lane_locked FROM counters, lanes`);
  const before = await touchedBy();
  const claims = idsUpTo(20).map((claim) => one.bus.claimLane({ lane: 'docs', owner: `b${claim}` }));
  for (const claim of claims) expect((await refusalOf(claim)).code).toBe('lane_held');
  expect(await touchedBy()).toEqual(before);
});
