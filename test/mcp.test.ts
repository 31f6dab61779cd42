import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { BusError, BusUnreachableError, toBusError } from '../src/contract/errors.ts';
import { createClient } from '../src/http/client.ts';
import { toInstructions } from '../src/mcp/instructions.ts';
import { withProgress } from '../src/mcp/progress.ts';
import { tools } from '../src/mcp/tools.ts';
import { createScriptedBus, waitForAbort } from './mcp/scripted-bus.ts';
import { type ClientKind, clientKinds, openSession, type Session } from './mcp/sessions.ts';

const sessions: Session[] = [];

async function open(kind: ClientKind, options: Parameters<typeof openSession>[1]): Promise<Session> {
  const session = await openSession(kind, options);
  sessions.push(session);
  return session;
}

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

/** The one object of a result, after making sure that it is told twice and that both say the same. */
function answerOf(result: Awaited<ReturnType<Session['call']>>) {
  const [block, ...more] = result.content;
  expect(more).toEqual([]);
  const answer = result.structuredContent as Record<string, unknown> & { error: Record<string, unknown> };
  expect(JSON.parse((block as { text: string }).text)).toEqual(answer);
  expect(result.isError ?? false).toBe(!answer.ok);
  return answer;
}

/** A bus of somebody else that answers everything with this. */
async function startForeignBus(answer: object): Promise<string> {
  const server = createServer((_, response) => response.end(JSON.stringify(answer)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/bus`;
}

it('reports the progress of a call no longer than the call takes', async () => {
  const report = vi.fn(() => Promise.reject(new Error('the client has gone')));
  const listener = { waitingFor: 'lane docs', waitSeconds: 1, intervalMilliseconds: 1, report };
  await withProgress(listener, () => vi.waitFor(() => expect(report.mock.calls.length).toBeGreaterThan(2)));
  const count = report.mock.calls.length;
  await sleep(20);
  expect(report).toHaveBeenCalledTimes(count);
});

describe.each(clientKinds)('%s', (kind) => {
  it('opens a session, reads the instructions, and sees every tool', async () => {
    const { bus, calls } = createScriptedBus();
    const session = await open(kind, { bus });
    expect(session.protocolVersion).toBe(kind.endsWith('2026') ? '2026-07-28' : '2025-11-25');
    expect(session.instructions).toBe(toInstructions({ keepsAlive: false }));
    expect(session.tools).toEqual(tools.map((tool) => tool.declaration));
    expect(calls).toEqual([]);
  });

  it('gets what the bus answered, whole, with fields that this version does not know', async () => {
    const answer = {
      messages: [{ id: 7, mood: 'good', topic: null }],
      cursor: 7,
      has_more: false,
      shard: 'b',
    };
    const { bus } = createScriptedBus({ readMessages: () => answer });
    const session = await open(kind, { bus });
    expect(answerOf(await session.call('read_messages'))).toEqual({ ok: true, ...answer });
  });

  it('gets along with a bus that leaves fields out, or shapes them its own way', async () => {
    const { bus } = createScriptedBus({
      getBusStatus: () => ({ active_lanes: {}, _meta: null }),
      releaseLane: () => ({ ok: true, decision: 'released', lane: { lane: 'docs' } }),
      postMessage: () => ({}),
    });
    const session = await open(kind, { bus });
    expect(answerOf(await session.call('get_bus_status'))).toEqual({
      ok: true,
      active_lanes: {},
      _meta: null,
    });
    expect(answerOf(await session.call('release_lane', { lane: 'docs', owner: 'ada' })).ok).toBe(true);
    const posted = await session.call('post_message', { topic: 't', sender: 'ada', body: 'b' });
    expect(answerOf(posted)).toEqual({ ok: true });
  });

  it('is told what the bus refused: status, sentence, code, data', async () => {
    const data = { lane: 'docs', owner: 'ada', expires_in_s: 120, fence: 3, waiters: 0 };
    const detail = "lane 'docs' held by 'ada' (lease 120s remaining)";
    const { bus } = createScriptedBus({
      claimLane: () => Promise.reject(toBusError('lane_held', detail, data)),
    });
    const session = await open(kind, { bus });
    expect(answerOf(await session.call('claim_lane', { lane: 'docs', owner: 'eve' }))).toEqual({
      ok: false,
      error: {
        type: 'bus_api_error',
        message: `[claim_lane] ${detail}`,
        tool: 'claim_lane',
        status_code: 409,
        code: 'lane_held',
        data,
      },
    });
  });

  it('is told that no bus answered, and where it was sought', async () => {
    const unreachable = new BusUnreachableError('no bus at http://127.0.0.1:1', 'http://127.0.0.1:1');
    const { bus } = createScriptedBus({ getBusStatus: () => Promise.reject(unreachable) });
    const session = await open(kind, { bus });
    expect(answerOf(await session.call('get_bus_status')).error).toEqual({
      type: 'bus_unreachable',
      message: '[get_bus_status] no bus at http://127.0.0.1:1',
      tool: 'get_bus_status',
      url: 'http://127.0.0.1:1',
    });
  });

  it('learns of an unforeseen failure only that it happened; the log learns why', async () => {
    const { bus } = createScriptedBus({ getBusStatus: () => Promise.reject(new Error('disk sda1 melted')) });
    const log = vi.fn();
    const session = await open(kind, { bus, log });
    const { error } = answerOf(await session.call('get_bus_status'));
    expect(error).toMatchObject({ type: 'bus_api_error', code: 'internal', tool: 'get_bus_status' });
    expect(JSON.stringify(error)).not.toMatch(/melted|\.ts:|\n/);
    expect(log).toHaveBeenCalledWith(
      expect.stringContaining('get_bus_status'),
      expect.objectContaining({ message: 'disk sda1 melted' }),
    );
  });

  it('is told of every bad argument by name, and the bus hears nothing', async () => {
    const { bus, calls } = createScriptedBus();
    const session = await open(kind, { bus });
    const given = { lane: '../etc', lease_s: 0, wait_s: 'long', colour: 'red' };
    const { error } = answerOf(await session.call('claim_lane', given));
    expect(error).toMatchObject({ type: 'invalid_arguments', tool: 'claim_lane' });
    expect(error.message).toMatch(
      /^\[claim_lane\] invalid input: lane must be letters.*; lease_s must be at least 1/,
    );
    const issues = error.issues as { field: string }[];
    expect(issues.map((issue) => issue.field).sort()).toEqual(['colour', 'lane', 'lease_s', 'wait_s']);
    expect(calls).toEqual([]);
  });

  it('is told which arguments must go together', async () => {
    const { bus } = createScriptedBus();
    const session = await open(kind, { bus });
    const { error } = answerOf(await session.call('read_messages', { wait_s: 5 }));
    expect(error.message).toContain('wait_s needs since_id');
  });

  it('may leave out who it is, and is not told it with every result', async () => {
    const { bus, calls } = createScriptedBus();
    const session = await open(kind, { bus, agentId: 'ada' });
    const claimed = answerOf(await session.call('claim_lane', { lane: 'docs' }));
    const posted = answerOf(await session.call('post_message', { topic: 't', body: 'b' }));
    await session.call('read_messages');
    expect(calls.map(({ input }) => input)).toEqual([
      { lane: 'docs', owner: 'ada' },
      { topic: 't', body: 'b', sender: 'ada' },
      { reader: 'ada' },
    ]);
    expect([claimed, posted].filter((answer) => 'you' in answer || 'agent_id' in answer)).toEqual([]);
  });

  it('hears from a call that waits, if it asked to, until the call ends', async () => {
    let post = (_: unknown) => {};
    const { bus } = createScriptedBus({ claimLane: () => new Promise((resolve) => (post = resolve)) });
    const session = await open(kind, { bus, progressIntervalMilliseconds: 5 });
    const heard: unknown[] = [];
    const onprogress = (progress: unknown) => heard.push(progress);
    const result = session.call('claim_lane', { lane: 'docs', wait_s: 60 }, { onprogress });
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(2));
    post({ ok: true });
    expect(answerOf(await result).ok).toBe(true);
    expect(heard.slice(0, 2)).toEqual([
      { progress: 0.005, total: 60, message: 'waiting for lane docs' },
      { progress: 0.01, total: 60, message: 'waiting for lane docs' },
    ]);
  });

  it('ends a wait at once by cancelling it', async () => {
    const { bus, calls } = createScriptedBus({ readMessages: waitForAbort });
    const log = vi.fn();
    const session = await open(kind, { bus, log });
    const controller = new AbortController();
    const given = { since_id: 0, wait_s: 300 };
    const result = session.call('read_messages', given, { signal: controller.signal });
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    controller.abort();
    await expect(result).rejects.toThrow();
    await vi.waitFor(() => expect(calls[0]?.call?.signal?.aborted).toBe(true));
    expect(answerOf(await session.call('get_bus_status')).ok).toBe(true);
    expect(log).not.toHaveBeenCalled();
  });

  it('is told after a wait in vain that nothing came, and how to go on', async () => {
    const { bus } = createScriptedBus();
    const session = await open(kind, { bus });
    const waited = answerOf(await session.call('read_messages', { since_id: 41, wait_s: 2 }));
    expect(waited).toMatchObject({ ok: true, messages: [], cursor: 41 });
    expect(waited.note).toBe('nothing came in 2 s; to wait on, call again with since_id=41');
    expect(answerOf(await session.call('read_messages', { since_id: 41 }))).not.toHaveProperty('note');
  });

  it('is told when its cursor is of another log, and how to go on', async () => {
    const readMessages = () => ({ messages: [], cursor: 0, has_more: true });
    const session = await open(kind, createScriptedBus({ readMessages }));
    const { note } = answerOf(await session.call('read_messages', { since_id: 41, wait_s: 2 }));
    expect(note).toMatch(/^there is no message 41 on this bus.*call again with since_id=0$/);
  });

  it('is told why a tool was left out', async () => {
    const { bus, calls } = createScriptedBus();
    const readOnly = await open(kind, { bus, readOnly: true });
    expect(readOnly.tools.map((tool) => tool.name)).toEqual(['read_messages', 'get_bus_status']);
    expect(answerOf(await readOnly.call('claim_lane', { lane: 'docs' })).error.message).toBe(
      '[claim_lane] claim_lane is not offered: this server is read-only. Offered: read_messages, get_bus_status',
    );
    const chosen = await open(kind, { bus, toolNames: ['claim_lane'] });
    expect(answerOf(await chosen.call('read_messages')).error).toMatchObject({
      type: 'invalid_arguments',
      message: expect.stringContaining('a choice of tools that leaves it out. Offered: claim_lane'),
    });
    expect(calls).toEqual([]);
  });

  it('gets the error of the protocol for a tool that nobody has', async () => {
    const { bus } = createScriptedBus();
    const session = await open(kind, { bus });
    await expect(session.call('launch_rocket')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('Unknown tool: launch_rocket'),
    });
  });

  it('sees control characters of peers as escapes in the text, and unchanged in the data', async () => {
    const body = 'red \u001b[31m \u009b31m \u202egnp.exe \u0000 \u{1f600}';
    const { bus } = createScriptedBus({ readMessages: () => ({ messages: [{ body }] }) });
    const session = await open(kind, { bus });
    const result = await session.call('read_messages');
    expect(answerOf(result).messages).toEqual([{ body }]);
    const [block] = result.content;
    expect((block as { text: string }).text).toContain(
      '\\u001b[31m \\u009b31m \\u202egnp.exe \\u0000 \u{1f600}',
    );
  });

  it('is told of a success that says it was none as of a failure', async () => {
    const answer = { ok: false, error: 'lane is taken', owner: 'bob' };
    const bus = createClient({ baseUrl: await startForeignBus(answer) });
    const session = await open(kind, { bus });
    expect(answerOf(await session.call('claim_lane', { lane: 'docs', owner: 'a' }))).toEqual({
      ok: false,
      error: {
        type: 'bus_api_error',
        message: '[claim_lane] the bus answered that it was not done: lane is taken',
        tool: 'claim_lane',
        status_code: 200,
        data: answer,
      },
    });
    await bus.close();
  });

  it('carries a refusal of an older bus that gives no code', async () => {
    const refusal = new BusError({ status: 409, detail: 'lane held' });
    const { bus } = createScriptedBus({ claimLane: () => Promise.reject(refusal) });
    const session = await open(kind, { bus });
    expect(answerOf(await session.call('claim_lane', { lane: 'docs', owner: 'a' })).error).toEqual({
      type: 'bus_api_error',
      message: '[claim_lane] lane held',
      tool: 'claim_lane',
      status_code: 409,
    });
  });
});
