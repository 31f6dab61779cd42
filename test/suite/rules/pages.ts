import { expect } from 'vitest';
import type { Bus } from '../../../src/contract/contract.ts';
import { limits } from '../../../src/contract/limits.ts';
import { type Rule, rule } from '../rule.ts';

/** A page that grew with what was posted would let a few readers fill the memory of the bus, and of their own. */
export const pages: readonly Rule[] = [
  rule(
    'ends a page of long messages early, and whoever reads on misses none',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postLong(engine);
      const read: number[] = [];
      for (let since_id = 0; ; ) {
        const page = await bus.readMessages({ since_id, topic: 'long', limit: limits.pageRowsMax });
        expectToFit(page.messages);
        read.push(...page.messages.map(({ id }) => id));
        expect(page.cursor).toBe(read.at(-1));
        since_id = page.cursor;
        if (!page.has_more) break;
      }
      expect(read).toEqual(ids);
    },
  ),

  rule(
    'leaves the oldest out of a page of the newest, and pages back to them',
    { uses: ['readMessages'] },
    async ({ bus, engine }) => {
      await postLong(engine);
      const first = await bus.readMessages({ limit: limits.pageRowsMax });
      expectToFit(first.messages);
      expect([first.cursor, first.has_more]).toEqual([ids.length, true]);
      const read = first.messages.map(({ id }) => id);
      for (let isMore = true; isMore; ) {
        const page = await bus.readMessages({ before_id: read.at(-1), limit: limits.pageRowsMax });
        expectToFit(page.messages);
        expect(page.cursor).toBe(page.messages[0]?.id);
        read.push(...page.messages.map(({ id }) => id));
        isMore = page.has_more;
      }
      expect(read).toEqual(ids.toReversed());
    },
  ),

  rule(
    'ends a page of events with long messages early, and whoever reads on misses none',
    { uses: ['readEvents'] },
    async ({ bus, engine }) => {
      await postLong(engine);
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const read: number[] = [];
      for (let since = 0; ; ) {
        const page = await bus.readEvents({ since, limit: limits.pageRowsMax });
        if (read.length < ids.length) expectToFit(page.events.flatMap(({ message }) => message ?? []));
        read.push(...page.events.map(({ id }) => id));
        expect(page.cursor).toBe(read.at(-1));
        since = page.cursor;
        if (!page.has_more) break;
      }
      expect(read).toEqual([...ids, ids.length + 1]);
    },
  ),

  rule(
    'shows no more of long messages in the status, and counts them all',
    { uses: ['getBusStatus', 'wholeStatus'] },
    async ({ bus, engine }) => {
      await postLong(engine, true);
      const { recent_messages, pending_action_flags, _meta } = await bus.getBusStatus({});
      for (const list of [recent_messages, pending_action_flags]) {
        expectToFit(list);
        expect(list[0]?.id).toBe(ids.length);
      }
      expect(_meta).toMatchObject({
        message_count: ids.length,
        pending_action_flag_count: ids.length,
      });
    },
  ),
];

/** The longest that can be posted: plain, of three bytes a character, and of six where JSON writes escapes. */
const bodies = ['x', '漢', '\u0001'].map((sign) => sign.repeat(limits.bodyCharactersMax));
const ids = Array.from({ length: 12 }, (_, index) => index + 1);

async function postLong(engine: Bus, action_flag = false): Promise<void> {
  for (const id of ids) {
    const body = bodies[id % bodies.length] as string;
    await engine.postMessage({ topic: 'long', sender: 'ada', body, action_flag });
  }
}

/** A door may end a page earlier than the bus does, but not before its first row. */
function expectToFit(messages: readonly Readonly<{ body: string }>[]): void {
  const bytes = messages.reduce((sum, { body }) => sum + Buffer.byteLength(JSON.stringify(body)), 0);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(limits.pageBytesMax);
}
