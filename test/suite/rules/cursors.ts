import { expect } from 'vitest';
import { postMany } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const cursors: readonly Rule[] = [
  rule(
    'reads on from a cursor, oldest first, until there is no more',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 7);
      const first = await bus.readMessages({ since_id: 2, limit: 3 });
      expect(first.messages.map(({ id }) => id)).toEqual([3, 4, 5]);
      expect(first).toMatchObject({ cursor: 5, has_more: true });
      const second = await bus.readMessages({ since_id: first.cursor, limit: 3 });
      expect(second.messages.map(({ id }) => id)).toEqual([6, 7]);
      expect(second).toMatchObject({ cursor: 7, has_more: false });
    },
  ),

  rule(
    'says that there is no more when a page ends with the log',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 3);
      expect(await bus.readMessages({ since_id: 0, limit: 3 })).toMatchObject({ cursor: 3, has_more: false });
      expect(await bus.readMessages({ limit: 3 })).toMatchObject({ cursor: 3, has_more: false });
    },
  ),

  rule(
    'answers the cursor that was given when nothing came after it',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 3);
      const nothing = { messages: [], has_more: false };
      expect(await bus.readMessages({ since_id: 3 })).toEqual({ ...nothing, cursor: 3 });
      expect(await bus.readMessages({ since_id: 1, topic: 'other' })).toEqual({ ...nothing, cursor: 1 });
    },
  ),

  rule(
    'sends a reader whose cursor is of another log back to the beginning, at once',
    { uses: ['readMessages'] },
    async ({ bus, engine, clock, untilWaiting }) => {
      const asked = { since_id: 99_999, wait_s: 60 };
      expect(await bus.readMessages(asked)).toEqual({ messages: [], cursor: 0, has_more: false });
      await postMany(engine, 2);
      const sentBack = { messages: [], cursor: 0, has_more: true };
      expect(await bus.readMessages(asked)).toEqual(sentBack);
      expect(await bus.readMessages({ ...asked, topic: 'other' })).toEqual(sentBack);
      expect(await bus.readMessages({ since_id: 3 })).toEqual(sentBack);
      const { messages, cursor } = await bus.readMessages({ since_id: 0, wait_s: 60 });
      expect([messages.map(({ id }) => id), cursor]).toEqual([[1, 2], 2]);
      expect(clock.alarms()).toEqual([]);
      const next = bus.readMessages({ since_id: cursor, wait_s: 60 });
      await untilWaiting(1);
      await postMany(engine, 1);
      expect(await next).toMatchObject({ messages: [{ id: 3 }], cursor: 3 });
    },
  ),

  rule(
    'reads on in one topic past the messages of others',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      for (const topic of ['a', 'b', 'a', 'b', 'a']) await postMany(engine, 1, topic);
      const first = await bus.readMessages({ topic: 'a', since_id: 0, limit: 2 });
      expect([first.messages.map(({ id }) => id), first.cursor, first.has_more]).toEqual([[1, 3], 3, true]);
      const second = await bus.readMessages({ topic: 'a', since_id: first.cursor, limit: 2 });
      expect([second.messages.map(({ id }) => id), second.cursor, second.has_more]).toEqual([[5], 5, false]);
    },
  ),

  rule(
    'gives the end of the log as cursor of the newest, also where a topic has none',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 4, 'busy');
      expect(await bus.readMessages({ limit: 2 })).toMatchObject({ cursor: 4 });
      const { cursor } = await bus.readMessages({ topic: 'quiet' });
      expect(cursor).toBe(4);
      await postMany(engine, 1, 'quiet');
      const { messages } = await bus.readMessages({ topic: 'quiet', since_id: cursor });
      expect(messages.map(({ id }) => id)).toEqual([5]);
    },
  ),

  rule(
    'pages back before an id, newest first, down to the first message',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 5);
      const first = await bus.readMessages({ before_id: 5, limit: 3 });
      expect([first.messages.map(({ id }) => id), first.has_more]).toEqual([[4, 3, 2], true]);
      const second = await bus.readMessages({ before_id: 2, limit: 3 });
      expect([second.messages.map(({ id }) => id), second.has_more]).toEqual([[1], false]);
      expect(await bus.readMessages({ before_id: 1 })).toMatchObject({ messages: [], has_more: false });
    },
  ),

  rule('pages back within one topic', { uses: ['readMessages'] }, async ({ bus, engine }) => {
    for (const topic of ['a', 'b', 'a', 'b']) await postMany(engine, 1, topic);
    const { messages } = await bus.readMessages({ topic: 'a', before_id: 4 });
    expect(messages.map(({ id }) => id)).toEqual([3, 1]);
  }),

  rule(
    'shows a reader who pages while 32 write every id once, in order',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      let isReading = true;
      const write = async () => {
        do await postMany(engine, 4);
        while (isReading && (await engine.readMessages({ limit: 1 })).cursor < 1_500);
      };
      const writers = Promise.all(Array.from({ length: 32 }, write));
      const ids: number[] = [];
      for (let page = 0; page < 5; page += 1) ids.push(...(await readPage(ids.at(-1) ?? 0)));
      isReading = false;
      await writers;
      for (
        let page = await readPage(ids.at(-1) ?? 0);
        page.length > 0;
        page = await readPage(ids.at(-1) ?? 0)
      ) {
        ids.push(...page);
      }
      const { last_message_id } = (await engine.getBusStatus({}))._meta;
      expect(last_message_id).toBeGreaterThanOrEqual(32 * 4);
      expect(ids).toEqual(Array.from({ length: last_message_id }, (_, index) => index + 1));

      async function readPage(since_id: number): Promise<number[]> {
        const { messages } = await bus.readMessages({ since_id, limit: 200 });
        return messages.map(({ id }) => id);
      }
    },
  ),
];
