import { expect } from 'vitest';
import { isPending, refusalOf, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

/** Waiting for a lane: first come, first served. */
export const lines: readonly Rule[] = [
  rule(
    'hands the lane to who waits when its holder releases it',
    { uses: ['claimLane'] },
    async ({ bus, engine, clock, untilInLine, untilWaiting }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 100 });
      const claim = bus.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 50, wait_s: 60 });
      await untilInLine('feeds', ['bob']);
      clock.advance(10);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect(await claim).toEqual({
        ok: true,
        decision: 'claim',
        lane: {
          lane: 'feeds',
          owner: 'bob',
          claimed_at: timestampIn(clock),
          heartbeat_at: timestampIn(clock),
          expires_at: timestampIn(clock, 50),
          lease_s: 50,
          expires_in_s: 50,
          fence: 2,
        },
        lease_s: 50,
        previous: { owner: 'ada', ended_at: timestampIn(clock), how: 'released' },
      });
      await untilWaiting(0);
    },
  ),

  rule(
    'hands the lane over at the very moment its lease runs out',
    { uses: ['claimLane'] },
    async ({ bus, engine, clock, untilInLine }) => {
      const { lane } = await engine.claimLane({ lane: 'feeds', owner: 'gone', lease_s: 20 });
      const claim = bus.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 });
      await untilInLine('feeds', ['bob']);
      clock.advance(19.999);
      expect(await isPending(claim)).toBe(true);
      clock.advance(0.001);
      const granted = await claim;
      expect(granted).toMatchObject({ decision: 'steal', lane: { owner: 'bob', fence: 2 } });
      expect(granted.lane.claimed_at).toBe(lane.expires_at);
    },
  ),

  rule(
    'serves those who wait in the order they came, on release and on expiry',
    { uses: ['claimLane'] },
    async ({ bus, engine, clock, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 100 });
      const claim = (owner: string) => bus.claimLane({ lane: 'feeds', owner, lease_s: 10, wait_s: 60 });
      const bob = claim('bob');
      await untilInLine('feeds', ['bob']);
      const eve = claim('eve');
      await untilInLine('feeds', ['bob', 'eve']);
      const kay = claim('kay');
      await untilInLine('feeds', ['bob', 'eve', 'kay']);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect((await bob).lane.fence).toBe(2);
      await untilInLine('feeds', ['eve', 'kay']);
      clock.advance(10);
      expect((await eve).lane.fence).toBe(3);
      await untilInLine('feeds', ['kay']);
      await engine.releaseLane({ lane: 'feeds', owner: 'eve' });
      expect((await kay).lane.fence).toBe(4);
      await untilInLine('feeds', []);
    },
  ),

  rule(
    'lets no newcomer pass those who wait',
    { uses: ['claimLane'], refusals: ['lane_held'] },
    async ({ bus, engine, clock, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 20 });
      const claim = engine.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 });
      await untilInLine('feeds', ['bob']);
      clock.advance(20);
      const { data } = await refusalOf(bus.claimLane({ lane: 'feeds', owner: 'newcomer' }));
      expect(data).toMatchObject({ owner: 'bob', fence: 2, waiters: 0 });
      expect((await claim).decision).toBe('steal');
    },
  ),

  rule(
    'takes the place from who goes away while waiting',
    { uses: ['claimLane', 'signal'] },
    async ({ bus, engine, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const caller = new AbortController();
      const lost = bus.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 }, { signal: caller.signal });
      const outcome = lost.then(
        () => 'granted',
        () => 'gone',
      );
      await untilInLine('feeds', ['bob']);
      const claim = engine.claimLane({ lane: 'feeds', owner: 'eve', wait_s: 60 });
      await untilInLine('feeds', ['bob', 'eve']);
      caller.abort();
      expect(await outcome).toBe('gone');
      await untilInLine('feeds', ['eve']);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect((await claim).lane).toMatchObject({ owner: 'eve', fence: 2 });
    },
  ),

  rule(
    'refuses when the time is over, says who holds the lane then, and takes the place',
    { uses: ['claimLane'], refusals: ['lane_held'] },
    async ({ bus, engine, clock, untilInLine, untilWaiting }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 100 });
      const refused = refusalOf(bus.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 30 }));
      await untilInLine('feeds', ['bob']);
      // The wait of the caller, and the end of the lease that the bus watches for it.
      await untilWaiting(2);
      clock.advance(30);
      const { status, code, data } = await refused;
      const held = { lane: 'feeds', owner: 'ada', expires_in_s: 70, fence: 1, waiters: 0 };
      expect([status, code, data]).toEqual([409, 'lane_held', held]);
      await untilInLine('feeds', []);
      await untilWaiting(0);
    },
  ),

  rule(
    'gives the place of a claim that waits to its repeat, and refuses the one before',
    { uses: ['claimLane', 'idempotencyKey'], refusals: ['lane_held'] },
    async ({ bus, engine, clock, untilInLine, untilWaiting }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 100 });
      const claim = (wait_s: number) =>
        bus.claimLane({ lane: 'feeds', owner: 'bob', wait_s }, { idempotencyKey: 'once' });
      const since = timestampIn(clock);
      const first = refusalOf(claim(60));
      await untilInLine('feeds', ['bob']);
      const eve = engine.claimLane({ lane: 'feeds', owner: 'eve', wait_s: 90 });
      await untilInLine('feeds', ['bob', 'eve']);
      clock.advance(5);
      const second = claim(90);
      expect(await first).toMatchObject({ code: 'lane_held', data: { owner: 'ada', fence: 1 } });
      await untilInLine('feeds', ['bob', 'eve']);
      expect((await engine.getLane({ lane: 'feeds' })).waiting[0]).toMatchObject({ place: 1, since });
      clock.advance(60);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect(await second).toMatchObject({ decision: 'claim', lane: { owner: 'bob', fence: 2 } });
      await engine.releaseLane({ lane: 'feeds', owner: 'bob' });
      expect((await eve).lane).toMatchObject({ owner: 'eve', fence: 3 });
      await untilInLine('feeds', []);
      await untilWaiting(0);
    },
  ),

  rule(
    'answers with the lane all claims of an owner that wait for it',
    { uses: ['claimLane', 'idempotencyKey'] },
    async ({ bus, engine, clock, untilInLine, untilWaiting }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const claim = (lease_s: number, wait_s: number) =>
        bus.claimLane({ lane: 'feeds', owner: 'bob', lease_s, wait_s }, { idempotencyKey: `for-${lease_s}` });
      const first = claim(10, 60);
      await untilInLine('feeds', ['bob']);
      const eve = engine.claimLane({ lane: 'feeds', owner: 'eve', wait_s: 60 });
      await untilInLine('feeds', ['bob', 'eve']);
      const second = claim(20, 60);
      await untilInLine('feeds', ['bob', 'eve', 'bob']);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect(await first).toMatchObject({ decision: 'claim', lane: { owner: 'bob', lease_s: 10, fence: 2 } });
      const renewed = await second;
      const expires_at = timestampIn(clock, 20);
      expect(renewed).toMatchObject({ decision: 'renew', lane: { owner: 'bob', fence: 2, expires_at } });
      expect(await engine.getLane({ lane: 'feeds' })).toMatchObject({ lane: renewed.lane });
      expect(await claim(20, 0)).toEqual(renewed);
      await untilInLine('feeds', ['eve']);
      await engine.releaseLane({ lane: 'feeds', owner: 'bob' });
      expect((await eve).lane.fence).toBe(3);
      await untilWaiting(0);
    },
  ),

  rule(
    'shows who waits, since when and at which place',
    { uses: ['claimLane', 'getLane', 'getBusStatus', 'wholeStatus'], refusals: ['lane_held'] },
    async ({ bus, engine, clock, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const waiters = [{ lane: 'feeds', owner: 'bob', since: timestampIn(clock), place: 1 }];
      const claims = [engine.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 })];
      await untilInLine('feeds', ['bob']);
      clock.advance(5);
      waiters.push({ lane: 'feeds', owner: 'eve', since: timestampIn(clock), place: 2 });
      claims.push(engine.claimLane({ lane: 'feeds', owner: 'eve', wait_s: 60 }));
      await untilInLine('feeds', ['bob', 'eve']);
      const status = await bus.getBusStatus({});
      expect([status.waiting, status._meta.waiter_count]).toEqual([waiters, 2]);
      expect((await bus.getLane({ lane: 'feeds' })).waiting).toEqual(waiters);
      expect((await refusalOf(bus.claimLane({ lane: 'feeds', owner: 'kay' }))).data?.waiters).toBe(2);
      for (const owner of ['ada', 'bob', 'eve']) {
        await engine.releaseLane({ lane: 'feeds', owner });
        await claims.shift();
      }
      expect((await engine.getBusStatus({}))._meta.waiter_count).toBe(0);
    },
  ),

  rule(
    'keeps those who wait in line while the holder renews',
    { uses: ['heartbeatLane'] },
    async ({ bus, engine, clock, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 20 });
      const claim = engine.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 });
      await untilInLine('feeds', ['bob']);
      clock.advance(19);
      await bus.heartbeatLane({ lane: 'feeds', owner: 'ada', lease_s: 20 });
      clock.advance(19.999);
      expect(await isPending(claim)).toBe(true);
      clock.advance(0.001);
      expect(await claim).toMatchObject({ decision: 'steal', lane: { claimed_at: timestampIn(clock) } });
    },
  ),

  rule(
    'grants at once what is free, or held by the owner who asks, though it would wait',
    { uses: ['claimLane'] },
    async ({ bus, clock }) => {
      expect((await bus.claimLane({ lane: 'feeds', owner: 'ada', wait_s: 300 })).decision).toBe('claim');
      expect((await bus.claimLane({ lane: 'feeds', owner: 'ada', wait_s: 300 })).decision).toBe('renew');
      expect(clock.alarms()).toEqual([]);
    },
  ),

  rule(
    'grants a waiter no longer lease than the bus allows',
    { uses: ['claimLane'] },
    async ({ bus, engine, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const claim = bus.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 100_000, wait_s: 60 });
      await untilInLine('feeds', ['bob']);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect(await claim).toMatchObject({ lease_s: 86_400, lane: { lease_s: 86_400 } });
    },
  ),
];
