import http from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { post } from '../http/fixtures.ts';
import { startMcpHttp } from './http-server.ts';
import { eras, toCall } from './raw-calls.ts';
import { createScriptedBus, waitForAbort } from './scripted-bus.ts';

// Clients of the era of 2025 cancel by a message of its own, over any connection.
const [{ headers = {} } = {}] = eras;
const secret = { 'x-bus-secret': 's3cret' };

async function start() {
  const { bus, calls } = createScriptedBus({ claimLane: waitForAbort, readMessages: waitForAbort });
  const { port } = await startMcpHttp(bus, { writeSecret: 's3cret' });

  /** Begins a call that waits, on a connection that stays open. */
  async function wait(name: string, given: object, more: http.OutgoingHttpHeaders) {
    const count = calls.length;
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/mcp', agent: false });
    request.on('error', () => {});
    onTestFinished(() => void request.destroy());
    const all = { ...headers, 'content-type': 'application/json', ...more };
    for (const [header, value] of Object.entries(all)) request.setHeader(header, value as string);
    request.end(JSON.stringify(toCall(name, { ...given, wait_s: 300 })));
    await vi.waitFor(() => expect(calls).toHaveLength(count + 1), 10_000);
    return { isEnded: () => calls[count]?.call?.signal?.aborted === true };
  }

  async function cancel(requestId: unknown, more: http.OutgoingHttpHeaders) {
    const message = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } };
    expect((await post(port, '/mcp', message, { ...headers, ...more })).status).toBe(202);
  }

  return { wait, cancel };
}

const claim = { lane: 'docs', owner: 'ada' };

test('a call of an agent is ended by whoever names the agent and has the secret it came with', async () => {
  const { wait, cancel } = await start();
  const ada = { 'x-bus-agent': 'ada' };
  const call = await wait('claim_lane', claim, { ...ada, ...secret });
  await cancel(1, ada);
  await cancel(1, { ...ada, 'x-bus-secret': 'wrong' });
  await cancel(1, { 'x-bus-agent': 'eve', ...secret });
  await cancel(1, secret);
  await cancel('1', { ...ada, ...secret });
  expect(call.isEnded()).toBe(false);
  await cancel(1, { ...ada, authorization: 'Bearer s3cret' });
  await vi.waitFor(() => expect(call.isEnded()).toBe(true), 10_000);
});

test('two calls of one agent under one number are both ended, and the end of one leaves the other', async () => {
  const { wait, cancel } = await start();
  const ada = { 'x-bus-agent': 'ada' };
  const first = await wait('read_messages', { since_id: 0 }, ada);
  const second = await wait('read_messages', { since_id: 0 }, ada);
  await cancel(1, ada);
  await vi.waitFor(() => expect([first.isEnded(), second.isEnded()]).toEqual([true, true]), 10_000);
  const third = await wait('read_messages', { since_id: 0 }, ada);
  await cancel(1, ada);
  await vi.waitFor(() => expect(third.isEnded()).toBe(true), 10_000);
});
