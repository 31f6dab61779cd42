import { expect } from 'vitest';
import { refusalOf } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const fences: readonly Rule[] = [
  rule(
    'raises the fence by one at each grant to a holder, and leaves it when renewed',
    { uses: ['claimLane'] },
    async ({ bus, engine, clock }) => {
      const fenceFor = async (owner: string) =>
        (await bus.claimLane({ lane: 'feeds', owner, lease_s: 10 })).lane.fence;
      expect(await fenceFor('ada')).toBe(1);
      expect(await fenceFor('ada')).toBe(1);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect(await fenceFor('ada')).toBe(2);
      clock.advance(10);
      expect(await fenceFor('bob')).toBe(3);
    },
  ),

  rule(
    'renews and releases under the fence of the lane',
    { uses: ['heartbeatLane', 'releaseLane'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const held = { lane: 'feeds', owner: 'ada', fence: 1 };
      expect(await bus.heartbeatLane(held)).toMatchObject({ decision: 'heartbeat', lane: { fence: 1 } });
      expect(await bus.releaseLane(held)).toMatchObject({ decision: 'released' });
      expect(await bus.releaseLane(held)).toMatchObject({ decision: 'free' });
    },
  ),

  rule(
    'refuses a heartbeat under another fence, and says which it is now',
    { uses: ['heartbeatLane'], refusals: ['stale_fence'] },
    async ({ bus, engine, clock, kept }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      clock.advance(10);
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      const before = await kept();
      const { status, code, detail, data } = await refusalOf(
        bus.heartbeatLane({ lane: 'feeds', owner: 'ada', fence: 1 }),
      );
      expect([status, code, data]).toEqual([409, 'stale_fence', { lane: 'feeds', fence: 2 }]);
      expect(detail).toContain("'feeds'");
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'refuses a release under another fence, also by the holder and for a lane that is free',
    { uses: ['releaseLane'], refusals: ['stale_fence'] },
    async ({ bus, engine, kept }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const before = await kept();
      const held = await refusalOf(bus.releaseLane({ lane: 'feeds', owner: 'ada', fence: 2 }));
      expect([held.status, held.code, held.data]).toEqual([409, 'stale_fence', { lane: 'feeds', fence: 1 }]);
      const never = await refusalOf(bus.releaseLane({ lane: 'never', owner: 'ada', fence: 1 }));
      expect(never.data).toEqual({ lane: 'never', fence: 0 });
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'posts while the sender holds the lane under the fence',
    { uses: ['postMessage'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const fenced = { topic: 'feeds', sender: 'ada', body: 'written', lane: 'feeds', fence: 1 };
      const { lane: _lane, fence: _fence, ...message } = fenced;
      const posted = await bus.postMessage(fenced);
      expect(posted).toMatchObject({ id: 1, ...message });
      expect(posted).not.toHaveProperty('lane');
    },
  ),

  rule(
    'keeps a stale holder from posting',
    { uses: ['postMessage'], refusals: ['stale_fence'] },
    async ({ bus, engine, clock, kept }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      clock.advance(10);
      await engine.claimLane({ lane: 'feeds', owner: 'bob' });
      const before = await kept();
      const fenced = { topic: 'feeds', sender: 'ada', body: 'late', lane: 'feeds', fence: 1 };
      const { status, code, data } = await refusalOf(bus.postMessage(fenced));
      expect([status, code, data]).toEqual([409, 'stale_fence', { lane: 'feeds', fence: 2 }]);
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'keeps whoever does not hold the lane live from posting, also under its fence',
    { uses: ['postMessage'], refusals: ['not_holder'] },
    async ({ bus, engine, clock, kept }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      const before = await kept();
      const fenced = { topic: 'feeds', body: 'mine', lane: 'feeds', fence: 1 };
      const stranger = await refusalOf(bus.postMessage({ ...fenced, sender: 'bob' }));
      expect([stranger.status, stranger.data]).toEqual([
        409,
        { lane: 'feeds', owner: 'ada', expires_in_s: 10 },
      ]);
      expect(await kept()).toEqual(before);
      clock.advance(10);
      const late = await refusalOf(bus.postMessage({ ...fenced, sender: 'ada' }));
      expect([late.code, late.data?.owner]).toEqual(['not_holder', 'ada']);
      expect((await engine.readMessages({})).messages).toEqual([]);
    },
  ),

  rule(
    'never forgets a fence, released or reopened',
    { uses: ['claimLane'] },
    async ({ bus, engine, restart }) => {
      for (const owner of ['ada', 'bob']) {
        await engine.claimLane({ lane: 'feeds', owner });
        await engine.releaseLane({ lane: 'feeds', owner });
      }
      await restart();
      expect((await bus.claimLane({ lane: 'feeds', owner: 'eve' })).lane.fence).toBe(3);
    },
  ),
];
