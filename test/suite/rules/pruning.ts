import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { postMany, refusalOf, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

/** Forgetting the beginning of the log. */
export const pruning: readonly Rule[] = [
  rule(
    'removes all but the newest messages, with the events of their time, and renumbers nothing',
    { uses: ['pruneMessages', 'readMessages', 'readEvents', 'getBusStatus'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      await postMany(engine, 5);
      expect(await bus.pruneMessages({ keep: 2 })).toEqual({
        pruned_messages: 3,
        pruned_events: 4,
        has_more: false,
        oldest_id: 4,
      });
      const { messages } = await bus.readMessages({ since_id: 0 });
      expect(messages.map(({ id, body }) => [id, body])).toEqual([
        [4, '4'],
        [5, '5'],
      ]);
      const { events } = await bus.readEvents({});
      expect(events.map(({ id, message }) => [id, message?.id])).toEqual([
        [5, 4],
        [6, 5],
      ]);
      expect((await bus.getBusStatus({}))._meta).toMatchObject({
        message_count: 2,
        last_message_id: 5,
        last_event_id: 6,
      });
    },
  ),

  rule(
    'removes what was posted before a time',
    { uses: ['pruneMessages', 'readMessages'] },
    async ({ bus, engine, clock }) => {
      await postMany(engine, 2);
      clock.advance(60);
      await postMany(engine, 1);
      const before = timestampIn(clock);
      expect(await bus.pruneMessages({ before })).toMatchObject({ pruned_messages: 2, oldest_id: 3 });
      expect((await bus.readMessages({})).messages.map(({ id }) => id)).toEqual([3]);
      expect(await bus.pruneMessages({ before })).toMatchObject({ pruned_messages: 0, pruned_events: 0 });
    },
  ),

  rule(
    'gives ids on above what was pruned, also when nothing is left and after it is reopened',
    { uses: ['pruneMessages'] },
    async ({ bus, engine, restart }) => {
      await postMany(engine, 3);
      expect(await bus.pruneMessages({ keep: 0 })).toMatchObject({ pruned_messages: 3, oldest_id: 4 });
      await restart();
      expect(await engine.postMessage({ topic: 't', sender: 'ada', body: 'next' })).toMatchObject({ id: 4 });
      expect(await bus.pruneMessages({ keep: 1 })).toMatchObject({ pruned_messages: 0, oldest_id: 4 });
    },
  ),

  rule(
    'tells a reader of messages whose cursor is older than what was pruned where to go on',
    { uses: ['readMessages'], refusals: ['cursor_expired'] },
    async ({ bus, engine, restart }) => {
      await postMany(engine, 5);
      await engine.pruneMessages({ keep: 2 });
      for (const topic of [undefined, 'log', 'other']) {
        const { status, code, data, detail } = await refusalOf(bus.readMessages({ since_id: 2, topic }));
        expect([status, code, data]).toEqual([410, 'cursor_expired', { oldest_id: 4 }]);
        expect(detail).toContain('since_id=3');
      }
      const idsSince = async (since_id: number) =>
        (await bus.readMessages({ since_id })).messages.map(({ id }) => id);
      expect(await idsSince(3)).toEqual([4, 5]);
      expect(await idsSince(0), 'cursor 0 asks for whatever there is').toEqual([4, 5]);
      await restart();
      expect((await refusalOf(bus.readMessages({ since_id: 1 }))).code).toBe('cursor_expired');
    },
  ),

  rule(
    'tells a reader of the change feed the same',
    { uses: ['readEvents'], refusals: ['cursor_expired'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      await postMany(engine, 3);
      await engine.pruneMessages({ keep: 1 });
      const { status, code, data } = await refusalOf(bus.readEvents({ since: 1 }));
      expect([status, code, data]).toEqual([410, 'cursor_expired', { oldest_id: 4 }]);
      const idsSince = async (since: number) => (await bus.readEvents({ since })).events.map(({ id }) => id);
      expect([await idsSince(3), await idsSince(0)]).toEqual([[4], [4]]);
    },
  ),

  rule(
    'ends the wait of a reader whose cursor expires meanwhile',
    { uses: ['readMessages'], refusals: ['cursor_expired'] },
    async ({ bus, engine, untilWaiting }) => {
      await postMany(engine, 1, 'quiet');
      await postMany(engine, 3, 'busy');
      const waiting = refusalOf(bus.readMessages({ topic: 'quiet', since_id: 1, wait_s: 60 }));
      await untilWaiting(1);
      await engine.pruneMessages({ keep: 1 });
      await postMany(engine, 1, 'quiet');
      expect((await waiting).data).toEqual({ oldest_id: 4 });
    },
  ),

  rule(
    'keeps lanes, fences and the flags that are left, and counts right',
    { uses: ['pruneMessages', 'getBusStatus', 'getLane'] },
    async ({ bus, engine }) => {
      const flag = { topic: 'deploy', sender: 'ada', body: 'look', action_flag: true };
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      for (let count = 0; count < 4; count += 1) await engine.postMessage(flag);
      for (const id of [1, 4]) await engine.acknowledgeFlag({ id, by: 'grace' });
      const lane = await engine.getLane({ lane: 'feeds' });
      await bus.pruneMessages({ keep: 2, include_flags: true });
      const { pending_action_flags, _meta } = await bus.getBusStatus({});
      expect(pending_action_flags.map(({ id }) => id)).toEqual([3]);
      expect(_meta).toMatchObject({ pending_action_flag_count: 1, message_count: 2 });
      expect(await bus.getLane({ lane: 'feeds' })).toEqual(lane);
      await engine.acknowledgeFlag({ id: 3, by: 'grace' });
      expect((await bus.getBusStatus({}))._meta.pending_action_flag_count).toBe(0);
    },
  ),

  rule(
    'stops before the oldest flag that nobody has acknowledged, and names it',
    { uses: ['pruneMessages', 'getBusStatus'] },
    async ({ bus, engine, clock }) => {
      await postMany(engine, 2);
      await engine.postMessage({ topic: 'deploy', sender: 'ada', body: 'look', action_flag: true });
      await postMany(engine, 3);
      clock.advance(60);
      for (const bounds of [{ keep: 1 }, { before: timestampIn(clock) }]) {
        await bus.pruneMessages(bounds);
        expect(await bus.pruneMessages(bounds)).toEqual({
          pruned_messages: 0,
          pruned_events: 0,
          has_more: false,
          oldest_id: 3,
          held_back_by: 3,
        });
      }
      expect((await bus.getBusStatus({})).pending_action_flags.map(({ id }) => id)).toEqual([3]);
      expect(await bus.pruneMessages({ keep: 4 }), 'nothing is held back').not.toHaveProperty('held_back_by');
      await engine.acknowledgeFlag({ id: 3, by: 'grace' });
      expect(await bus.pruneMessages({ keep: 1 })).toMatchObject({ pruned_messages: 3, oldest_id: 6 });
    },
  ),

  rule(
    'removes open flags too for whoever says so',
    { uses: ['pruneMessages', 'getBusStatus'] },
    async ({ bus, engine }) => {
      await engine.postMessage({ topic: 'deploy', sender: 'ada', body: 'look', action_flag: true });
      await postMany(engine, 1);
      const answer = await bus.pruneMessages({ keep: 0, include_flags: true });
      expect(answer).toEqual({ pruned_messages: 2, pruned_events: 2, has_more: false, oldest_id: 3 });
      expect((await bus.getBusStatus({}))._meta.pending_action_flag_count).toBe(0);
    },
  ),

  rule(
    'counts in a dry run what would go, beyond the limit of one call, and removes nothing',
    { uses: ['pruneMessages'] },
    async ({ bus, engine, kept }) => {
      const count = limits.pruneEventsMax + 7;
      await Promise.all(Array.from({ length: count }, () => postMany(engine, 1)));
      await engine.postMessage({ topic: 'deploy', sender: 'ada', body: 'look', action_flag: true });
      const before = await kept();
      expect(await bus.pruneMessages({ keep: 5, dry_run: true })).toMatchObject({
        pruned_messages: count - 4,
        has_more: false,
      });
      expect(await bus.pruneMessages({ keep: 0, dry_run: true })).toEqual({
        pruned_messages: count,
        pruned_events: count,
        has_more: false,
        oldest_id: count + 1,
        held_back_by: count + 1,
      });
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'shows an acknowledgement without its message when only the message was pruned',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock }) => {
      await engine.postMessage({ topic: 'deploy', sender: 'ada', body: 'look', action_flag: true });
      await postMany(engine, 1);
      await engine.acknowledgeFlag({ id: 1, by: 'grace' });
      await engine.pruneMessages({ keep: 1 });
      const { events } = await bus.readEvents({});
      expect(events.map(({ id, kind }) => [id, kind])).toEqual([
        [2, 'message_posted'],
        [3, 'flag_acknowledged'],
      ]);
      expect(events[1]).toEqual({ id: 3, kind: 'flag_acknowledged', ts: timestampIn(clock) });
    },
  ),

  rule(
    'goes through no more events in one call than the limit, so that nobody waits long',
    { uses: ['pruneMessages'] },
    async ({ bus, engine }) => {
      const max = limits.pruneEventsMax;
      await Promise.all(Array.from({ length: max + 3 }, () => postMany(engine, 1)));
      const first = await bus.pruneMessages({ keep: 1 });
      expect(first).toMatchObject({ pruned_messages: max, has_more: true, oldest_id: max + 1 });
      const second = await bus.pruneMessages({ keep: 1 });
      expect(second).toMatchObject({ pruned_messages: 2, has_more: false, oldest_id: max + 3 });
    },
  ),

  rule(
    'removes everything once when several prune at the same time, while others post',
    { uses: ['pruneMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 50);
      const flag = { topic: 'log', sender: 'ada', body: 'look', action_flag: true };
      const posting = Promise.all(Array.from({ length: 8 }, () => engine.postMessage(flag)));
      const answers = await Promise.all(Array.from({ length: 4 }, () => bus.pruneMessages({ keep: 10 })));
      await posting;
      const last = await bus.pruneMessages({ keep: 10 });
      const sum = [...answers, last].reduce((total, { pruned_messages }) => total + pruned_messages, 0);
      expect(sum).toBe(48);
      const { message_count, pending_action_flag_count } = (await engine.getBusStatus({}))._meta;
      expect([message_count, pending_action_flag_count]).toEqual([10, 8]);
      expect((await engine.readMessages({ limit: 500 })).messages).toHaveLength(10);
    },
  ),

  rule(
    'gives the first answer again to a repeat with its key',
    { uses: ['pruneMessages', 'idempotencyKey'] },
    async ({ bus, engine }) => {
      await postMany(engine, 3);
      const call = { idempotencyKey: 'prune-1' };
      const first = await bus.pruneMessages({ keep: 1 }, call);
      await postMany(engine, 3);
      expect(await bus.pruneMessages({ keep: 1 }, call)).toEqual(first);
      expect((await engine.getBusStatus({}))._meta.message_count).toBe(4);
    },
  ),

  rule(
    'asks for one bound, and for a time with its zone',
    { uses: ['pruneMessages'], refusals: ['invalid_input'] },
    async ({ bus, engine, kept }) => {
      await postMany(engine, 3);
      const before = await kept();
      const time = '2026-01-02T03:04:05Z';
      for (const input of [{}, { keep: 1, before: time }, { before: '2026-01-02' }, { keep: -1 }]) {
        const { status, code } = await refusalOf(bus.pruneMessages(input));
        expect([status, code]).toEqual([422, 'invalid_input']);
      }
      expect(await kept()).toEqual(before);
    },
  ),
];
