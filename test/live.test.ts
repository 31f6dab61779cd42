import { describe, expect, test } from 'vitest';
import { createClient } from '../src/http/client.ts';

/** Against a bus that runs already: the six operations once, on a topic and a lane that nobody else uses. */
const { BUS_MCP_LIVE, BUS_MCP_BASE_URL: baseUrl = '' } = process.env;
const isAsked = BUS_MCP_LIVE === '1' && baseUrl !== '';
if (!isAsked) console.log('the live smoke test is skipped: BUS_MCP_LIVE=1 runs it against BUS_MCP_BASE_URL');

describe.runIf(isAsked)('a running bus', () => {
  test('does the six operations', async () => {
    const name = `smoke-${process.pid}`;
    const bus = createClient({ baseUrl, writeSecret: process.env.BUS_WRITE_SECRET || undefined });
    const posted = await bus.postMessage({ topic: name, sender: name, body: 'smoke test' });
    const { messages } = await bus.readMessages({ topic: name });
    expect(messages.map(({ id }) => id)).toEqual([posted.id]);
    expect(await bus.claimLane({ lane: name, owner: name, lease_s: 30 })).toMatchObject({
      decision: 'claim',
    });
    await expect(bus.claimLane({ lane: name, owner: 'another' })).rejects.toMatchObject({ status: 409 });
    expect(await bus.heartbeatLane({ lane: name, owner: name })).toMatchObject({ decision: 'heartbeat' });
    expect((await bus.getBusStatus({})).active_lanes.map(({ lane }) => lane)).toContain(name);
    expect(await bus.releaseLane({ lane: name, owner: name })).toMatchObject({ decision: 'released' });
    await bus.close();
  });
});
