import { expect } from 'vitest';
import { isPending, postMany } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

/** Waiting for messages and for events. */
export const waiting: readonly Rule[] = [
  rule(
    'answers at once when there is something after the cursor',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 2);
      const { messages, cursor } = await bus.readMessages({ since_id: 1, wait_s: 300 });
      expect([messages.map(({ id }) => id), cursor]).toEqual([[2], 2]);
    },
  ),

  rule(
    'wakes who waits for a topic by a post to it, and by no other',
    { uses: ['readMessages'] },
    async ({ bus, engine, clock, untilWaiting }) => {
      const answer = bus.readMessages({ topic: 'build', since_id: 0, wait_s: 60 });
      await untilWaiting(1);
      await postMany(engine, 1, 'builds');
      await engine.claimLane({ lane: 'build', owner: 'ada' });
      expect([await isPending(answer), clock.alarms().length]).toEqual([true, 1]);
      await postMany(engine, 1, 'build');
      expect(await answer).toMatchObject({
        messages: [{ id: 2, topic: 'build' }],
        cursor: 2,
        has_more: false,
      });
      expect(clock.alarms()).toEqual([]);
    },
  ),

  rule(
    "does not end a reader's wait by its own posts, and brings them along with the next one",
    { uses: ['readMessages'] },
    async ({ bus, engine, untilWaiting }) => {
      const post = (sender: string) => engine.postMessage({ topic: 'build', sender, body: 'x' });
      await post('ada');
      const answer = bus.readMessages({ since_id: 0, wait_s: 60, reader: 'ada' });
      await untilWaiting(1);
      await post('ada');
      expect(await isPending(answer)).toBe(true);
      await post('ada/tests');
      const { messages, cursor } = await answer;
      expect([messages.map(({ sender }) => sender), cursor]).toEqual([['ada', 'ada', 'ada/tests'], 3]);
    },
  ),

  rule(
    'shows a reader its own posts when the time is over',
    { uses: ['readMessages'] },
    async ({ bus, engine, clock, untilWaiting }) => {
      await engine.postMessage({ topic: 'build', sender: 'ada', body: 'x' });
      const answer = bus.readMessages({ since_id: 0, wait_s: 30, reader: 'ada' });
      await untilWaiting(1);
      clock.advance(30);
      expect(await answer).toMatchObject({ messages: [{ id: 1 }], cursor: 1 });
    },
  ),

  rule(
    'waits for one sender, whoever else posts meanwhile',
    { uses: ['readMessages'] },
    async ({ bus, engine, untilWaiting }) => {
      const answer = bus.readMessages({ from: 'ada', since_id: 0, wait_s: 60 });
      await untilWaiting(1);
      await engine.postMessage({ topic: 'build', sender: 'eve', body: 'x' });
      expect(await isPending(answer)).toBe(true);
      await engine.postMessage({ topic: 'build', sender: 'ada', body: 'y' });
      expect(await answer).toMatchObject({ messages: [{ id: 2, sender: 'ada' }], cursor: 2 });
    },
  ),

  rule(
    'wakes who waits for any topic by every post',
    { uses: ['readMessages'] },
    async ({ bus, engine, untilWaiting }) => {
      const answers = [1, 2, 3].map(() => bus.readMessages({ since_id: 0, wait_s: 60 }));
      await untilWaiting(3);
      await postMany(engine, 1, 'whatever');
      for (const answer of answers) expect(await answer).toMatchObject({ messages: [{ id: 1 }], cursor: 1 });
    },
  ),

  rule(
    'answers an empty page with the same cursor when the time is over, and not before',
    { uses: ['readMessages'] },
    async ({ bus, engine, clock, untilWaiting }) => {
      await postMany(engine, 3, 'other');
      const answer = bus.readMessages({ topic: 'build', since_id: 1, wait_s: 30 });
      await untilWaiting(1);
      clock.advance(29.999);
      expect(await isPending(answer)).toBe(true);
      clock.advance(0.001);
      expect(await answer).toEqual({ messages: [], cursor: 1, has_more: false });
    },
  ),

  rule('waits up to five minutes', { uses: ['readMessages'] }, async ({ bus, clock, untilWaiting }) => {
    const answer = bus.readMessages({ since_id: 0, wait_s: 300 });
    await untilWaiting(1);
    expect(clock.alarms()).toEqual([clock.now() + 300_000]);
    clock.advance(300);
    expect(await answer).toMatchObject({ messages: [], cursor: 0 });
  }),

  rule(
    'forgets at once who goes away while waiting',
    { uses: ['readMessages', 'signal'] },
    async ({ bus, engine, untilWaiting }) => {
      const caller = new AbortController();
      const answer = bus.readMessages({ topic: 'build', since_id: 0, wait_s: 60 }, { signal: caller.signal });
      const outcome = answer.then(
        () => 'answered',
        () => 'gone',
      );
      await untilWaiting(1);
      caller.abort();
      expect(await outcome).toBe('gone');
      await untilWaiting(0);
      expect((await engine.postMessage({ topic: 'build', sender: 'ada', body: 'green' })).id).toBe(1);
    },
  ),

  rule(
    'wakes who waits for an event by whatever happens',
    { uses: ['readEvents'] },
    async ({ bus, engine, untilWaiting }) => {
      const first = bus.readEvents({ wait_s: 60 });
      await untilWaiting(1);
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      expect(await first).toMatchObject({ events: [{ id: 1, kind: 'lane_claimed' }], cursor: 1 });
      const second = bus.readEvents({ since: 1, wait_s: 60 });
      await untilWaiting(1);
      await engine.heartbeatLane({ lane: 'feeds', owner: 'ada' });
      expect(await isPending(second)).toBe(true);
      await postMany(engine, 1);
      expect(await second).toMatchObject({ events: [{ id: 2, kind: 'message_posted' }], cursor: 2 });
    },
  ),

  rule(
    'answers an empty page of events when the time is over',
    { uses: ['readEvents'] },
    async ({ bus, engine, clock, untilWaiting }) => {
      await postMany(engine, 2);
      const answer = bus.readEvents({ since: 2, wait_s: 10 });
      await untilWaiting(1);
      clock.advance(10);
      expect(await answer).toEqual({ events: [], cursor: 2, has_more: false });
    },
  ),
];
