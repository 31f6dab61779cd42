import { expect } from 'vitest';
import { refusalOf, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const leases: readonly Rule[] = [
  rule(
    'renews the lease of its holder from now on',
    { uses: ['heartbeatLane'] },
    async ({ bus, engine, clock }) => {
      const { lane } = await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 100 });
      clock.advance(99.999);
      expect(await bus.heartbeatLane({ lane: 'feeds', owner: 'ada', lease_s: 60 })).toEqual({
        ok: true,
        decision: 'heartbeat',
        lane: {
          ...lane,
          heartbeat_at: timestampIn(clock),
          expires_at: timestampIn(clock, 60),
          lease_s: 60,
          expires_in_s: 60,
        },
        lease_s: 60,
      });
    },
  ),

  rule(
    'renews for five minutes unless asked otherwise',
    { uses: ['heartbeatLane'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      const { lease_s, lane } = await bus.heartbeatLane({ lane: 'feeds', owner: 'ada' });
      expect([lease_s, lane.expires_at]).toEqual([300, timestampIn(clock, 300)]);
    },
  ),

  rule(
    'refuses the heartbeat of whoever does not hold the lane, and says who does',
    { uses: ['heartbeatLane'], refusals: ['not_holder'] },
    async ({ bus, engine, clock, kept }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'other', lease_s: 100 });
      clock.advance(40);
      const before = await kept();
      const { status, code, detail, data } = await refusalOf(
        bus.heartbeatLane({ lane: 'feeds', owner: 'ada' }),
      );
      expect([status, code]).toEqual([409, 'not_holder']);
      expect(detail).toBe(
        "lane 'feeds' not held live by 'ada' -- claim it instead: 'other' holds it (lease 60s remaining)",
      );
      expect(data).toEqual({ lane: 'feeds', owner: 'other', expires_in_s: 60 });
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'refuses the heartbeat for a lane that is free',
    { uses: ['heartbeatLane'], refusals: ['not_holder'] },
    async ({ bus, engine }) => {
      const free = { owner: null, expires_in_s: 0 };
      expect((await refusalOf(bus.heartbeatLane({ lane: 'never', owner: 'ada' }))).data).toEqual({
        lane: 'never',
        ...free,
      });
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect((await refusalOf(bus.heartbeatLane({ lane: 'feeds', owner: 'ada' }))).data).toEqual({
        lane: 'feeds',
        ...free,
      });
    },
  ),

  rule(
    'never brings a lease back to life that ran out, not even for its owner',
    { uses: ['heartbeatLane'], refusals: ['not_holder'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 100 });
      clock.advance(112);
      const { detail } = await refusalOf(bus.heartbeatLane({ lane: 'feeds', owner: 'ada' }));
      const start = "lane 'feeds' not held live by";
      expect(detail).toBe(`${start} 'ada' -- claim it instead: the lease ran out 12 s ago`);
      const other = await refusalOf(bus.heartbeatLane({ lane: 'feeds', owner: 'bob' }));
      const story = "'ada' held it last, and that lease ran out 12 s ago";
      expect(other.detail).toBe(`${start} 'bob' -- claim it instead: ${story}`);
      expect(await engine.getLane({ lane: 'feeds' })).toMatchObject({ state: 'orphaned' });
    },
  ),

  rule('releases for the holder', { uses: ['releaseLane'] }, async ({ bus, engine }) => {
    await engine.claimLane({ lane: 'feeds', owner: 'ada' });
    expect(await bus.releaseLane({ lane: 'feeds', owner: 'ada' })).toEqual({
      ok: true,
      decision: 'released',
      lane: 'feeds',
      owner: 'ada',
      fence: 1,
    });
    expect(await engine.claimLane({ lane: 'feeds', owner: 'bob' })).toMatchObject({
      decision: 'claim',
      lane: { fence: 2 },
    });
  }),

  rule(
    'finds releasing what is free no error, however often',
    { uses: ['releaseLane'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      await bus.releaseLane({ lane: 'feeds', owner: 'ada' });
      const free = { ok: true, decision: 'free', lane: 'feeds', fence: 1 };
      expect(await bus.releaseLane({ lane: 'feeds', owner: 'ada' })).toEqual(free);
      expect(await bus.releaseLane({ lane: 'never', owner: 'ada' })).toEqual({
        ...free,
        lane: 'never',
        fence: 0,
      });
    },
  ),

  rule(
    'refuses the release of a lane that another holds live',
    { uses: ['releaseLane'], refusals: ['not_holder'] },
    async ({ bus, engine, kept }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'other', lease_s: 100 });
      const before = await kept();
      const { status, code, detail, data } = await refusalOf(
        bus.releaseLane({ lane: 'feeds', owner: 'ada' }),
      );
      expect([status, code]).toEqual([409, 'not_holder']);
      expect(detail).toMatch(/^lane 'feeds' held live by another owner, 'other' \(lease 100s remaining\): /);
      expect(data).toEqual({ lane: 'feeds', owner: 'other', expires_in_s: 100 });
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'lets anyone clear a lane whose lease ran out',
    { uses: ['releaseLane'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'gone', lease_s: 10 });
      clock.advance(10);
      expect(await bus.releaseLane({ lane: 'feeds', owner: 'ada' })).toMatchObject({
        decision: 'released',
        owner: 'gone',
      });
      expect(await engine.getLane({ lane: 'feeds' })).toMatchObject({ state: 'free', fence: 1 });
    },
  ),
];
