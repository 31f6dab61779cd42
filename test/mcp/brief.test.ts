import { afterEach, describe, expect, it } from 'vitest';
import { contract } from '../../src/contract/contract.ts';
import { limits } from '../../src/contract/limits.ts';
import { messageListsOf } from '../../src/mcp/brief.ts';
import { createScriptedBus } from './scripted-bus.ts';
import { openSession, type Session } from './sessions.ts';

const sessions: Session[] = [];

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

type Script = Parameters<typeof createScriptedBus>[0];

/** What the tool answers when the bus answers this. */
async function call(script: Script, tool: string, given: Readonly<Record<string, unknown>> = {}) {
  const session = await openSession('SDK v2 in the era of 2026', createScriptedBus(script));
  sessions.push(session);
  const { structuredContent } = await session.call(tool, given);
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of the answer.
  return structuredContent as any;
}

function toMessage(id: number, body: string) {
  return { id, topic: 'build', sender: 'ada', body, action_flag: false, ts: '2026-08-01T10:00:00.000Z' };
}

describe('the status of the tool', () => {
  it('begins long bodies only, and says how to read the whole', async () => {
    const [long, short] = [toMessage(41, 'x'.repeat(65_536)), toMessage(40, 'y'.repeat(300))];
    const status = { recent_messages: [long, short], pending_action_flags: [long], _meta: { shard: 'b' } };
    const answer = await call({ getBusStatus: () => status }, 'get_bus_status');
    const cut = {
      ...long,
      body: `${'x'.repeat(300)}… (cut; the whole: read_messages with since_id=40, limit=1)`,
    };
    expect(answer).toEqual({
      ok: true,
      recent_messages: [cut, short],
      pending_action_flags: [cut],
      _meta: { shard: 'b' },
    });
    expect(long.body).toHaveLength(65_536);
  });

  it('of a full bus fits into what clients take', async () => {
    const body = 'word '.repeat(13_000);
    const toRows = (count: number) => Array.from({ length: count }, (_, index) => toMessage(index + 1, body));
    const status = {
      recent_messages: toRows(limits.statusRecentMessagesMax),
      pending_action_flags: toRows(limits.statusFlagsMax),
    };
    const answer = await call({ getBusStatus: () => status }, 'get_bus_status');
    expect(JSON.stringify(answer).length).toBeLessThan(60_000);
  });

  it('does not cut a character in two, and leaves alone what it does not know', async () => {
    const emoji = toMessage(1, `${'x'.repeat(299)}🙂 and more`);
    const odd = [null, 'text', { body: 5 }, { body: 'z'.repeat(400) }];
    const status = { recent_messages: [emoji, ...odd], pending_action_flags: { not: 'a list' } };
    const answer = await call({ getBusStatus: () => status }, 'get_bus_status');
    expect(answer.recent_messages[0].body).toBe(
      `${'x'.repeat(299)}… (cut; the whole: read_messages with since_id=0, limit=1)`,
    );
    expect(answer.recent_messages.slice(1)).toEqual(odd);
    expect(answer.pending_action_flags).toEqual({ not: 'a list' });
  });
});

describe('a page of messages of the tool', () => {
  const charactersMax = limits.toolPageCharactersMax;
  const log = Array.from({ length: 40 }, (_, index) => toMessage(index + 1, 'x'.repeat(5_000)));

  /** The log as the bus pages through it. */
  function readMessages({ since_id, before_id }: { since_id?: number; before_id?: number }) {
    if (since_id !== undefined) {
      return { messages: log.filter(({ id }) => id > since_id), cursor: 40, has_more: false };
    }
    const older = log.filter(({ id }) => before_id === undefined || id < before_id).reverse();
    return { messages: older, cursor: older[0]?.id ?? 0, has_more: false };
  }

  it('ends where it gets too long, and reading on from its cursor skips nothing', async () => {
    const seen: number[] = [];
    for (let page = { cursor: 0, has_more: true, messages: [] as { id: number }[] }; page.has_more; ) {
      page = await call({ readMessages }, 'read_messages', { since_id: page.cursor });
      expect(JSON.stringify(page).length).toBeLessThan(charactersMax + 200);
      seen.push(...page.messages.map(({ id }) => id));
    }
    expect(seen).toEqual(log.map(({ id }) => id));
  });

  it('that begins with the newest keeps the newest, and paging back skips nothing', async () => {
    const first = await call({ readMessages }, 'read_messages');
    expect(first).toMatchObject({ cursor: 40, has_more: true });
    const seen: number[] = [];
    for (let page = first; ; ) {
      seen.push(...page.messages.map(({ id }: { id: number }) => id));
      if (!page.has_more) break;
      page = await call({ readMessages }, 'read_messages', { before_id: seen.at(-1) });
    }
    expect(seen).toEqual(log.map(({ id }) => id).reverse());
  });

  it('carries one message at least, however long it is', async () => {
    const long = { messages: [toMessage(1, '\u0001'.repeat(65_536)), toMessage(2, 'b')], cursor: 2 };
    const answer = await call({ readMessages: () => long }, 'read_messages', { since_id: 0 });
    expect(answer.messages.map(({ id }: { id: number }) => id)).toEqual([1]);
    expect(answer).toMatchObject({ cursor: 1, has_more: true });
  });

  it('of a bus without cursors is passed on whole: the rest could not be asked for', async () => {
    const answer = await call({ readMessages: () => ({ messages: log }) }, 'read_messages');
    expect(answer).toEqual({ ok: true, messages: log });
  });
});

it('shortens those lists of a status that the contract declares to be of messages', () => {
  expect(messageListsOf(contract.getBusStatus.output)).toEqual(['recent_messages', 'pending_action_flags']);
});
