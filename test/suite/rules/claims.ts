import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { refusalOf, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const claims: readonly Rule[] = [
  rule('grants a lane that is free', { uses: ['claimLane'] }, async ({ bus, clock }) => {
    const answer = await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 120 });
    expect(answer).toEqual({
      ok: true,
      decision: 'claim',
      lane: {
        lane: 'feeds',
        owner: 'ada',
        claimed_at: timestampIn(clock),
        heartbeat_at: timestampIn(clock),
        expires_at: timestampIn(clock, 120),
        lease_s: 120,
        expires_in_s: 120,
        fence: 1,
      },
      lease_s: 120,
    });
  }),

  rule('grants for five minutes unless asked otherwise', { uses: ['claimLane'] }, async ({ bus, clock }) => {
    const { lease_s, lane } = await bus.claimLane({ lane: 'feeds', owner: 'ada' });
    expect([lease_s, lane.expires_at]).toEqual([300, timestampIn(clock, 300)]);
  }),

  rule(
    'refuses a lane held by another, and says by whom and for how long',
    { uses: ['claimLane'], refusals: ['lane_held'] },
    async ({ bus, clock, kept }) => {
      await bus.claimLane({ lane: 'feeds', owner: 'other', lease_s: 125 });
      clock.advance(5.5);
      const before = await kept();
      const { status, detail, code, data } = await refusalOf(bus.claimLane({ lane: 'feeds', owner: 'ada' }));
      expect([status, code]).toEqual([409, 'lane_held']);
      expect(detail).toMatch(/^lane 'feeds' held by 'other' \(lease 120s remaining\)/);
      expect(data).toEqual({ lane: 'feeds', owner: 'other', expires_in_s: 120, fence: 1, waiters: 0 });
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'renews for the owner that holds it, under the same fence',
    { uses: ['claimLane'] },
    async ({ bus, clock }) => {
      const first = await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 100 });
      clock.advance(99);
      const second = await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 50 });
      expect(second).toEqual({
        ok: true,
        decision: 'renew',
        lane: {
          ...first.lane,
          heartbeat_at: timestampIn(clock),
          expires_at: timestampIn(clock, 50),
          lease_s: 50,
          expires_in_s: 50,
        },
        lease_s: 50,
      });
    },
  ),

  rule(
    'lets a lease run out exactly at its end, and grants the lane as stolen',
    { uses: ['claimLane'], refusals: ['lane_held'] },
    async ({ bus, engine, clock }) => {
      const { lane } = await engine.claimLane({ lane: 'feeds', owner: 'other', lease_s: 300 });
      clock.advance(299.999);
      const { data } = await refusalOf(bus.claimLane({ lane: 'feeds', owner: 'ada' }));
      expect(data?.expires_in_s).toBe(1);
      clock.advance(0.001);
      const stolen = await bus.claimLane({ lane: 'feeds', owner: 'ada' });
      expect(stolen).toMatchObject({ decision: 'steal', lane: { owner: 'ada', fence: lane.fence + 1 } });
      expect(stolen.lane.claimed_at).toBe(lane.expires_at);
    },
  ),

  rule(
    'gives an owner its own lane back as stolen once the lease ran out',
    { uses: ['claimLane'] },
    async ({ bus, clock }) => {
      await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 1 });
      clock.advance(1);
      const again = await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 1 });
      expect([again.decision, again.lane.fence, again.lane.claimed_at]).toEqual([
        'steal',
        2,
        timestampIn(clock),
      ]);
    },
  ),

  rule(
    'grants no longer lease than the bus allows, and answers with what it granted',
    { uses: ['claimLane', 'heartbeatLane'] },
    async ({ bus, clock }) => {
      const granted = { lease_s: limits.leaseSecondsMaxDefault, expires_at: timestampIn(clock, 86_400) };
      const claim = await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 1_000_000_000 });
      expect([claim.lease_s, claim.lane]).toMatchObject([86_400, granted]);
      const heartbeat = await bus.heartbeatLane({ lane: 'feeds', owner: 'ada', lease_s: 86_401 });
      expect([heartbeat.lease_s, heartbeat.lane]).toMatchObject([86_400, granted]);
    },
  ),

  rule(
    'takes every name that the pattern allows, and keeps lanes apart',
    { uses: ['claimLane'] },
    async ({ bus }) => {
      const names = ['A', 'a', 'x'.repeat(limits.laneNameCharactersMax), '9.z_Z:-'];
      for (const name of names) {
        const { decision, lane } = await bus.claimLane({ lane: name, owner: `owner of ${name[0]}` });
        expect([decision, lane.lane, lane.fence]).toEqual(['claim', name, 1]);
      }
    },
  ),

  rule(
    'keeps who holds what when it is reopened',
    { uses: ['claimLane'], refusals: ['lane_held'] },
    async ({ bus, engine, clock, restart }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'other', lease_s: 100 });
      clock.advance(40);
      await restart();
      const { data } = await refusalOf(bus.claimLane({ lane: 'feeds', owner: 'ada' }));
      expect(data).toMatchObject({ owner: 'other', expires_in_s: 60, fence: 1 });
      clock.advance(60);
      expect(await bus.claimLane({ lane: 'feeds', owner: 'ada' })).toMatchObject({
        decision: 'steal',
        lane: { fence: 2 },
      });
    },
  ),

  rule(
    'grants to one of those who claim at once, and tells each of the others who has it',
    { uses: ['claimLane'], refusals: ['lane_held'] },
    async ({ bus }) => {
      for (const lane of ['first', 'second']) {
        const owners = ['ada', 'bob', 'eve', 'kay', 'lin', 'max'];
        const outcomes = await Promise.allSettled(owners.map((owner) => bus.claimLane({ lane, owner })));
        const granted = outcomes.flatMap((outcome) =>
          outcome.status === 'fulfilled' ? [outcome.value] : [],
        );
        const refused = outcomes.flatMap((outcome) =>
          outcome.status === 'rejected' ? [outcome.reason] : [],
        );
        expect(granted).toMatchObject([{ decision: 'claim', lane: { lane, fence: 1 } }]);
        const data = { lane, owner: granted[0]?.lane.owner, expires_in_s: 300, fence: 1, waiters: 0 };
        expect(refused.map((refusal) => refusal.data)).toEqual(Array(5).fill(data));
      }
    },
  ),
];
