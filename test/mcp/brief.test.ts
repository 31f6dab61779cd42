import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { createScriptedBus, toLane } from './scripted-bus.ts';
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
  it('shows whole messages, the newest first, as long as they fit, and one hint for the rest', async () => {
    const bodies = ['newest', 'x'.repeat(limits.toolStatusMessageCharactersMax - 6), 'beyond', 'oldest'];
    const recent_messages = bodies.map((body, index) => toMessage(40 - index, body));
    const answer = await call({ getBusStatus: () => ({ recent_messages }) }, 'get_bus_status');
    expect(answer.recent_messages.map(({ body }: { body: string }) => body)).toEqual(bodies.slice(0, 2));
    expect(answer.note).toBe('older messages, whole: read_messages with before_id=39');
  });

  it('that has room for all messages needs no hint', async () => {
    const status = { recent_messages: [toMessage(2, 'b'), toMessage(1, 'a')] };
    const answer = await call({ getBusStatus: () => status }, 'get_bus_status');
    expect([answer.recent_messages.length, answer.note]).toEqual([2, undefined]);
  });

  it('says how to read the newest message where that alone is too long', async () => {
    const status = { recent_messages: [toMessage(7, 'x'.repeat(65_536))] };
    const answer = await call({ getBusStatus: () => status }, 'get_bus_status');
    expect([answer.recent_messages, answer.note]).toEqual([[], 'older messages, whole: read_messages']);
  });

  it('leaves out what only a person needs, and keeps what it does not know', async () => {
    const lane = { ...toLane('docs', 'ada', 60), shard: 'b' };
    const status = {
      active_lanes: [lane],
      waiting: [{ lane: 'docs', owner: 'eve', since: '2026-08-01T10:00:00.000Z', place: 1 }],
      pending_action_flags: [toMessage(1, 'a person must act')],
      board: [],
      _meta: { active_lane_count: 1, version: '1', store: 'sqlite', write_secret_armed: true, shard: 'b' },
    };
    expect(await call({ getBusStatus: () => status }, 'get_bus_status')).toEqual({
      ok: true,
      active_lanes: [{ lane: 'docs', owner: 'ada', expires_in_s: 60, fence: 1, shard: 'b' }],
      waiting: [{ lane: 'docs', owner: 'eve', place: 1 }],
      board: [],
      _meta: { active_lane_count: 1, shard: 'b' },
    });
  });

  it('leaves alone what has another shape than it knows', async () => {
    const odd = [null, 'text', { body: 5 }];
    const status = { recent_messages: odd, active_lanes: { not: 'a list' }, _meta: 'none' };
    expect(await call({ getBusStatus: () => status }, 'get_bus_status')).toEqual({ ok: true, ...status });
  });
});

it('answers a post with its id and what is news, and does not say again what was posted', async () => {
  const answer = { ...toMessage(7, 'x'.repeat(60_000)), to: ['codex-1'] };
  const given = { topic: 'build', body: 'x' };
  expect(await call({ postMessage: () => answer }, 'post_message', given)).toEqual({
    ok: true,
    id: 7,
    to: ['codex-1'],
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
