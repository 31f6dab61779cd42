import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { postMany, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const messages: readonly Rule[] = [
  rule('answers a post with the whole message', { uses: ['postMessage'] }, async ({ bus, clock }) => {
    const answer = await bus.postMessage({ topic: 'build', sender: 'ada', body: 'green' });
    expect(answer).toEqual({
      id: 1,
      topic: 'build',
      sender: 'ada',
      body: 'green',
      action_flag: false,
      ts: timestampIn(clock),
    });
  }),

  rule(
    'gives ids from 1 in the order of the posts, without gaps',
    { uses: ['postMessage'] },
    async ({ bus }) => {
      const ids: number[] = [];
      for (const body of ['one', 'two', 'three']) {
        ids.push((await bus.postMessage({ topic: 'build', sender: 'ada', body })).id);
      }
      expect(ids).toEqual([1, 2, 3]);
    },
  ),

  rule('keeps every character of a message', { uses: ['postMessage', 'readMessages'] }, async ({ bus }) => {
    const strange = {
      topic: 'α/β?γ=1&%23+ 🚀',
      sender: "o'neill@host:4711",
      body: '--flag "quoted" \\ back\r\n\ttab \u0007bell \u001b[31mred \u202ereversed \u2028 é e\u0301 漢字 🚀\n\n',
    };
    const posted = await bus.postMessage(strange);
    expect(posted).toMatchObject(strange);
    expect(await bus.readMessages({ topic: strange.topic })).toMatchObject({ messages: [posted] });
  }),

  rule(
    'keeps a body, a topic and a sender of the greatest length',
    { uses: ['postMessage', 'readMessages'] },
    async ({ bus }) => {
      const longest = {
        topic: 't'.repeat(limits.topicCharactersMax),
        sender: 's'.repeat(limits.agentIdCharactersMax),
        body: '漢'.repeat(limits.bodyCharactersMax),
      };
      await bus.postMessage(longest);
      const { messages } = await bus.readMessages({});
      expect(messages).toMatchObject([longest]);
    },
  ),

  rule(
    'shows the newest first, fifty unless asked otherwise',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postMany(engine, 60);
      const page = await bus.readMessages({});
      expect(page.messages.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, index) => 60 - index));
      expect(page).toMatchObject({ cursor: 60, has_more: true });
    },
  ),

  rule('shows as many as asked, from 1 to 500', { uses: ['readMessages'] }, async ({ bus, engine }) => {
    await Promise.all(Array.from({ length: limits.pageRowsMax + 1 }, () => postMany(engine, 1)));
    expect((await bus.readMessages({ limit: 1 })).messages.map(({ id }) => id)).toEqual([501]);
    const page = await bus.readMessages({ limit: limits.pageRowsMax });
    expect([page.messages.length, page.messages.at(-1)?.id, page.has_more]).toEqual([500, 2, true]);
  }),

  rule('shows only the topic that is asked for', { uses: ['readMessages'] }, async ({ bus, engine }) => {
    await postMany(engine, 2, 'build');
    await postMany(engine, 2, 'builds');
    const { messages, has_more } = await bus.readMessages({ topic: 'build' });
    expect([messages.map(({ id }) => id), has_more]).toEqual([[2, 1], false]);
  }),

  rule(
    'shows only what the sender wrote that is asked for',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      for (const sender of ['ada', 'eve', 'ada/tests', 'ada'])
        await engine.postMessage({ topic: 'build', sender, body: sender });
      const ids = async (input: object) => (await bus.readMessages(input)).messages.map(({ id }) => id);
      expect(await ids({ from: 'ada' })).toEqual([4, 1]);
      expect(await ids({ from: 'ada', since_id: 1 })).toEqual([4]);
      expect(await ids({ from: 'ada', before_id: 4 })).toEqual([1]);
      expect(await ids({ from: 'nobody' })).toEqual([]);
    },
  ),

  rule('answers an empty log with an empty page', { uses: ['readMessages'] }, async ({ bus }) => {
    expect(await bus.readMessages({})).toEqual({ messages: [], cursor: 0, has_more: false });
  }),

  rule('reads without consuming', { uses: ['readMessages'] }, async ({ bus, engine }) => {
    await postMany(engine, 2);
    const first = await bus.readMessages({ since_id: 0 });
    expect(first.messages).toHaveLength(2);
    expect(await bus.readMessages({ since_id: 0 })).toEqual(first);
  }),

  rule(
    'carries an action flag, and acts on nothing',
    { uses: ['postMessage', 'readMessages'] },
    async ({ bus, engine }) => {
      const flagged = { topic: 'deploy', sender: 'ada', body: 'rm -rf /', action_flag: true };
      const posted = await bus.postMessage(flagged);
      expect(posted).toMatchObject(flagged);
      expect((await bus.readMessages({})).messages).toEqual([posted]);
      expect((await engine.getBusStatus({}))._meta.arms_nothing).toBe(true);
    },
  ),

  rule(
    'keeps what was posted when it is reopened',
    { uses: ['readMessages'] },
    async ({ bus, engine, restart }) => {
      await postMany(engine, 3);
      const before = await bus.readMessages({});
      await restart();
      expect(await bus.readMessages({})).toEqual(before);
      expect((await engine.postMessage({ topic: 'log', sender: 'ada', body: 'next' })).id).toBe(4);
    },
  ),
];
