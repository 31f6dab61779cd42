import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commandFile } from '../build.ts';
import { startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import type { Script } from './model.ts';
import { runSession, type Session } from './sessions.ts';

const post = `${process.execPath} ${commandFile} post plans hi`;

/** A lane claimed by a tool and a post by a shell command, neither of which says who acts. */
const claudeScript = (lane: string): Script => [
  { tool: 'ToolSearch', input: { query: 'select:mcp__bus__claim_lane', max_results: 1 } },
  { tool: 'mcp__bus__claim_lane', input: { lane } },
  { tool: 'Bash', input: { command: post, description: 'post' } },
  { text: 'done' },
];
const codexScript: Script = [
  { tool: 'claim_lane', input: { lane: 'codex-lane' }, namespace: 'mcp__bus' },
  { tool: 'exec_command', input: { cmd: post } },
  { text: 'done' },
];

type Told = Readonly<{ kind: string; lane?: string; owner?: string; message?: Readonly<{ sender: string }> }>;

/** Who claimed and who posted, in order. */
async function readActors(url: string): Promise<readonly (string | undefined)[]> {
  const answer = await fetch(`${url}/api/bus/events`);
  const { events } = (await answer.json()) as { events: readonly Told[] };
  return events
    .filter(({ kind }) => kind === 'lane_claimed' || kind === 'message_posted')
    .map(({ owner, message }) => owner ?? message?.sender);
}

function toSession(
  bus: Session['bus'],
  more: Pick<Session, 'client' | 'script'> & Partial<Session>,
): Session {
  const environment = { BUS_MCP_BASE_URL: `${bus.url}/api/bus`, ...more.environment };
  return { project: createFolder(), bus, ...more, environment };
}

test('sessions of Claude Code and of Codex are one agent each to their tools, hooks and shells', async () => {
  const bus = await startBus();
  const project = createFolder();
  const words = ['--plugin-dir', resolve('.')];
  const claude = { client: 'claude-code', script: claudeScript('claude-lane'), words, project } as const;
  const first = await runSession(toSession(bus, claude));
  const second = await runSession(toSession(bus, { client: 'codex', script: codexScript, project }));
  expect([first.status, second.status]).toEqual([0, 0]);
  expect(await readActors(bus.url)).toEqual(['claude-1', 'claude-1', 'codex-1', 'codex-1']);
  // The hook of the plugin has told the model before its first call.
  expect(first.requests[0]?.text).toContain('You are \\"claude-1\\" here');
  const answer = await fetch(`${bus.url}/api/bus/agents`);
  const { agents } = (await answer.json()) as { agents: readonly { agent: string }[] };
  expect(agents.map(({ agent }) => agent)).toEqual(['claude-1', 'codex-1']);
});

test('a resumed session of Claude Code has the id that it had', async () => {
  const bus = await startBus();
  const id = '6f1d2c3b-1111-4222-8333-444455556666';
  const [home, project] = [createFolder(), createFolder()];
  const run = (lane: string, words: readonly string[]) =>
    runSession(toSession(bus, { client: 'claude-code', script: claudeScript(lane), words, home, project }));
  await run('first', ['--session-id', id]);
  await run('second', ['--resume', id]);
  const actors = await readActors(bus.url);
  expect([actors.length, new Set(actors).size]).toEqual([4, 1]);
});
