import { expect } from 'vitest';
import { postMany, refusalOf, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

/** The change feed. */
export const events: readonly Rule[] = [
  rule(
    'tells a message as it was at each event, not as it is now',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock }) => {
      const post = { topic: 't', sender: 'ada', body: 'b', action_flag: true };
      const posted = await engine.postMessage(post);
      const acknowledged = await engine.acknowledgeFlag({ id: posted.id, by: 'grace' });
      const { events } = await bus.readEvents({});
      expect(events).toEqual([
        { id: 1, kind: 'message_posted', ts: timestampIn(clock), message: posted },
        { id: 2, kind: 'flag_acknowledged', ts: timestampIn(clock), message: acknowledged },
      ]);
      expect(posted).not.toHaveProperty('acknowledged_by');
    },
  ),
  rule(
    'tells what happened to a lane, in order, and by whom',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock }) => {
      const [from, until] = [timestampIn(clock), timestampIn(clock, 10)];
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      clock.advance(12);
      const stolen = timestampIn(clock);
      await engine.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 20 });
      await engine.releaseLane({ lane: 'feeds', owner: 'bob' });
      await engine.claimLane({ lane: 'feeds', owner: 'eve', lease_s: 10 });
      const ended = timestampIn(clock, 10);
      clock.advance(15);
      await engine.releaseLane({ lane: 'feeds', owner: 'kay' });
      const lane = 'feeds';
      const later = timestampIn(clock);
      expect(await bus.readEvents({})).toEqual({
        events: [
          {
            id: 1,
            kind: 'lane_claimed',
            ts: from,
            lane,
            owner: 'ada',
            fence: 1,
            lease_s: 10,
            expires_at: until,
          },
          {
            id: 2,
            kind: 'lane_stolen',
            ts: stolen,
            lane,
            owner: 'bob',
            fence: 2,
            lease_s: 20,
            expires_at: timestampIn(clock, 5),
            previous_owner: 'ada',
            previous_expires_at: until,
          },
          { id: 3, kind: 'lane_released', ts: stolen, lane, owner: 'bob', fence: 2 },
          {
            id: 4,
            kind: 'lane_claimed',
            ts: stolen,
            lane,
            owner: 'eve',
            fence: 3,
            lease_s: 10,
            expires_at: ended,
          },
          {
            id: 5,
            kind: 'lane_released',
            ts: later,
            lane,
            owner: 'eve',
            fence: 3,
            previous_expires_at: ended,
            released_by: 'kay',
          },
        ],
        cursor: 5,
        has_more: false,
      });
    },
  ),

  rule(
    'tells when a lease ran out that its own holder gives back too late',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      clock.advance(5);
      await engine.heartbeatLane({ lane: 'feeds', owner: 'ada', lease_s: 10 });
      const ended = timestampIn(clock, 10);
      clock.advance(11);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      const { events: told } = await bus.readEvents({ since: 1 });
      expect(told).toEqual([
        {
          id: 2,
          kind: 'lane_released',
          ts: timestampIn(clock),
          lane: 'feeds',
          owner: 'ada',
          fence: 1,
          previous_expires_at: ended,
        },
      ]);
    },
  ),

  rule(
    'tells of posts and acknowledgements with the message',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock }) => {
      const message = { topic: 'deploy', sender: 'ada', body: 'look', action_flag: true };
      await engine.postMessage(message);
      const { events: before } = await bus.readEvents({});
      expect(before).toEqual([
        {
          id: 1,
          kind: 'message_posted',
          ts: timestampIn(clock),
          message: { id: 1, ...message, ts: timestampIn(clock) },
        },
      ]);
      clock.advance(1);
      const acknowledged = await engine.acknowledgeFlag({ id: 1, by: 'grace' });
      const { events: after } = await bus.readEvents({ since: 1 });
      expect(after).toEqual([
        { id: 2, kind: 'flag_acknowledged', ts: timestampIn(clock), message: acknowledged },
      ]);
    },
  ),

  rule(
    'finds heartbeats, renewals and what was refused or changed nothing no news',
    { uses: ['readEvents'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      await engine.heartbeatLane({ lane: 'feeds', owner: 'ada' });
      await refusalOf(engine.claimLane({ lane: 'feeds', owner: 'bob' }));
      await refusalOf(engine.releaseLane({ lane: 'feeds', owner: 'bob' }));
      await engine.releaseLane({ lane: 'other', owner: 'bob' });
      await postMany(engine, 1);
      const { events: told } = await bus.readEvents({});
      expect(told.map(({ id, kind }) => [id, kind])).toEqual([
        [1, 'lane_claimed'],
        [2, 'message_posted'],
      ]);
    },
  ),

  rule(
    'tells of a lane that was handed to a waiter as of any other grant',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const claim = engine.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 10, wait_s: 60 });
      await untilInLine('feeds', ['bob']);
      await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
      await claim;
      const { events: told } = await bus.readEvents({ since: 1 });
      expect(told).toEqual([
        { id: 2, kind: 'lane_released', ts: timestampIn(clock), lane: 'feeds', owner: 'ada', fence: 1 },
        {
          id: 3,
          kind: 'lane_claimed',
          ts: timestampIn(clock),
          lane: 'feeds',
          owner: 'bob',
          fence: 2,
          lease_s: 10,
          expires_at: timestampIn(clock, 10),
        },
      ]);
    },
  ),

  rule('pages after a cursor, oldest first', { uses: ['readEvents'] }, async ({ bus, engine }) => {
    await postMany(engine, 5);
    const first = await bus.readEvents({ limit: 3 });
    expect(first.events.map(({ id, message }) => [id, message?.body])).toEqual([
      [1, '1'],
      [2, '2'],
      [3, '3'],
    ]);
    expect(first).toMatchObject({ cursor: 3, has_more: true });
    const second = await bus.readEvents({ since: first.cursor, limit: 2 });
    expect([second.events.map(({ id }) => id), second.cursor, second.has_more]).toEqual([[4, 5], 5, false]);
    expect(await bus.readEvents({ since: 5 })).toEqual({ events: [], cursor: 5, has_more: false });
  }),

  rule(
    'sends who follows another log back to the beginning, at once',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock }) => {
      const asked = { since: 99_999, wait_s: 60 };
      expect(await bus.readEvents(asked)).toEqual({ events: [], cursor: 0, has_more: false });
      await postMany(engine, 2);
      expect(await bus.readEvents(asked)).toEqual({ events: [], cursor: 0, has_more: true });
      expect(await bus.readEvents({ since: 3 })).toEqual({ events: [], cursor: 0, has_more: true });
      expect(await bus.readEvents({ since: 2 })).toEqual({ events: [], cursor: 2, has_more: false });
      expect(clock.alarms()).toEqual([]);
    },
  ),

  rule(
    'goes on without a gap when it is reopened',
    { uses: ['readEvents'] },
    async ({ bus, engine, restart }) => {
      await postMany(engine, 2);
      await restart();
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const { events: told } = await bus.readEvents({});
      expect(told.map(({ id, kind }) => [id, kind])).toEqual([
        [1, 'message_posted'],
        [2, 'message_posted'],
        [3, 'lane_claimed'],
      ]);
    },
  ),
];
