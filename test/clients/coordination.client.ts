import { describe, expect, test } from 'vitest';
import { startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import type { Script } from './model.ts';
import { runSession } from './sessions.ts';

/** How each client's model calls a tool of the bus: Claude Code looks a tool up before it can call it. */
const calls = {
  'claude-code': (tool: string, input: unknown): Script => [
    { tool: 'ToolSearch', input: { query: `select:mcp__bus__${tool}`, max_results: 1 } },
    { tool: `mcp__bus__${tool}`, input },
  ],
  codex: (tool: string, input: unknown): Script => [{ tool, input, namespace: 'mcp__bus' }],
} as const;
const clients = ['claude-code', 'codex'] as const;

describe.each(clients)('a real session of %s', (client) => {
  test('claims a lane, and is refused one that another holds', { timeout: 120_000 }, async () => {
    const bus = await startBus();
    const claimed = await fetch(`${bus.url}/api/bus/lanes/taken/claim`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ owner: 'ada' }),
    });
    expect(claimed.status).toBe(200);
    const call = calls[client];
    const script = [
      ...call('claim_lane', { lane: 'mine' }),
      ...call('claim_lane', { lane: 'taken' }).slice(-1),
      { text: 'done' },
    ];
    const session = await runSession({ client, script, project: createFolder(), bus });
    expect(session.status).toBe(0);
    expect(session.lastRequest).toContain("lane 'taken' held by 'ada'");
    const feed = await (await fetch(`${bus.url}/api/bus/events`)).json();
    const { events } = feed as Readonly<{ events: readonly Readonly<{ kind: string }>[] }>;
    expect(events.filter(({ kind }) => kind.startsWith('lane_'))).toMatchObject([
      { kind: 'lane_claimed', lane: 'taken', owner: 'ada' },
      { kind: 'lane_claimed', lane: 'mine' },
    ]);
  });
});
