import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { postMany, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const status: readonly Rule[] = [
  rule('shows an empty bus as empty', { uses: ['getBusStatus', 'wholeStatus'] }, async ({ bus, clock }) => {
    const { _meta, ...lists } = await bus.getBusStatus({});
    expect(lists).toEqual({
      active_lanes: [],
      orphaned_claims: [],
      recent_messages: [],
      pending_action_flags: [],
      agents: [],
      waiting: [],
      recent_lanes: [],
    });
    expect(_meta).toEqual({
      active_lane_count: 0,
      orphaned_claim_count: 0,
      pending_action_flag_count: 0,
      message_count: 0,
      last_message_id: 0,
      last_event_id: 0,
      waiter_count: 0,
      max_lease_seconds: limits.leaseSecondsMaxDefault,
      write_secret_armed: false,
      store: expect.stringMatching(/^[a-z]+$/),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      ts: timestampIn(clock),
      uptime_s: 0,
      arms_nothing: true,
    });
  }),

  rule('counts what there is', { uses: ['getBusStatus', 'wholeStatus'] }, async ({ bus, engine, clock }) => {
    await postMany(engine, 3);
    await engine.postMessage({ topic: 'deploy', sender: 'ada', body: 'look', action_flag: true });
    await engine.claimLane({ lane: 'long', owner: 'ada' });
    await engine.claimLane({ lane: 'short', owner: 'bob', lease_s: 1 });
    clock.advance(90.9);
    expect((await bus.getBusStatus({}))._meta).toMatchObject({
      active_lane_count: 1,
      orphaned_claim_count: 1,
      pending_action_flag_count: 1,
      message_count: 4,
      last_message_id: 4,
      last_event_id: 6,
      ts: timestampIn(clock),
      uptime_s: 90,
    });
  }),

  rule(
    'shows a lane as orphaned from the moment its lease runs out',
    { uses: ['getBusStatus', 'wholeStatus'] },
    async ({ bus, engine, clock }) => {
      const { lane: long } = await engine.claimLane({ lane: 'long', owner: 'ada', lease_s: 100 });
      const { lane: short } = await engine.claimLane({ lane: 'short', owner: 'bob', lease_s: 10 });
      clock.advance(9.999);
      const before = await bus.getBusStatus({});
      expect(before.active_lanes).toEqual([
        { ...short, expires_in_s: 1 },
        { ...long, expires_in_s: 91 },
      ]);
      expect(before.orphaned_claims).toEqual([]);
      clock.advance(0.001);
      const after = await bus.getBusStatus({});
      expect(after.active_lanes).toEqual([{ ...long, expires_in_s: 90 }]);
      expect(after.orphaned_claims).toEqual([{ ...short, expires_in_s: 0 }]);
    },
  ),

  rule(
    'shows the newest twenty messages',
    { uses: ['getBusStatus', 'wholeStatus'] },
    async ({ bus, engine }) => {
      await postMany(engine, 21);
      const { recent_messages } = await bus.getBusStatus({});
      expect(recent_messages.map(({ id }) => id)).toEqual(
        Array.from({ length: 20 }, (_, index) => 21 - index),
      );
    },
  ),

  rule(
    'shows what a lane is: never claimed, held, orphaned, released',
    { uses: ['getLane'] },
    async ({ bus, engine, clock }) => {
      const asked = { lane: 'feeds' };
      const free = { state: 'free', lane: { lane: 'feeds' }, waiting: [] };
      expect(await bus.getLane(asked)).toEqual({ ...free, fence: 0 });
      const { lane } = await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      expect(await bus.getLane(asked)).toEqual({ state: 'held', fence: 1, lane, waiting: [] });
      clock.advance(10);
      const orphan = { ...lane, expires_in_s: 0 };
      expect(await bus.getLane(asked)).toEqual({ state: 'orphaned', fence: 1, lane: orphan, waiting: [] });
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      expect(await bus.getLane(asked)).toEqual({ ...free, fence: 1 });
    },
  ),

  rule(
    'lists held and orphaned lanes by name, page by page',
    { uses: ['listLanes'] },
    async ({ bus, engine, clock }) => {
      for (const lane of ['cat', 'ape', 'dog', 'bee'])
        await engine.claimLane({ lane, owner: 'ada', lease_s: 10 });
      await engine.releaseLane({ lane: 'dog', owner: 'ada' });
      await engine.claimLane({ lane: 'ape', owner: 'ada', lease_s: 100 });
      clock.advance(10);
      const first = await bus.listLanes({ limit: 2 });
      expect(first.lanes.map(({ lane, expires_in_s }) => [lane, expires_in_s])).toEqual([
        ['ape', 90],
        ['bee', 0],
      ]);
      expect(first.has_more).toBe(true);
      const second = await bus.listLanes({ limit: 2, after: 'bee' });
      expect([second.lanes.map(({ lane }) => lane), second.has_more]).toEqual([['cat'], false]);
    },
  ),

  rule('lists the lanes of one owner', { uses: ['listLanes'] }, async ({ bus, engine }) => {
    const { lane: held } = await engine.claimLane({ lane: 'hers', owner: 'ada' });
    await engine.claimLane({ lane: 'his', owner: 'bob' });
    await engine.claimLane({ lane: 'given-back', owner: 'ada' });
    await engine.releaseLane({ lane: 'given-back', owner: 'ada' });
    expect(await bus.listLanes({ owner: 'ada' })).toEqual({ lanes: [held], has_more: false });
    expect(await bus.listLanes({ owner: 'eve' })).toEqual({ lanes: [], has_more: false });
  }),
];
