import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type RunningBus, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { runCommand } from '../processes.ts';
import type { Script } from './model.ts';
import { runSession } from './sessions.ts';

const held = 'src/held.txt';
const whole = 'one\n';

/** A repository with a file that another agent holds. */
async function createStage() {
  const bus = await startBus();
  const project = createFolder();
  execFileSync('git', ['init', '-q', '-b', 'main', project]);
  execFileSync('git', ['-C', project, 'remote', 'add', 'origin', 'git@github.com:acme/pocket.git']);
  mkdirSync(join(project, 'src'));
  writeFileSync(join(project, held), whole);
  const read = () => readFileSync(join(project, held), 'utf8');
  return { bus, project, read };
}

const ask = async (bus: RunningBus, path: string, body: object) => {
  const answer = await fetch(`${bus.url}/api/bus${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
};

const claimForOther = (bus: RunningBus) =>
  ask(bus, '/lanes/parser/claim', {
    owner: 'ada',
    paths: ['github.com/acme/pocket/src/**'],
    note: 'rewriting the parser',
  });

type ClientName = 'claude-code' | 'codex';

/** The hook as `setup` writes it, in an otherwise empty home. */
async function setUp(client: ClientName, home: string, { url }: RunningBus): Promise<void> {
  const environment = { HOME: home, PATH: process.env.PATH };
  const words = ['setup', client, '--base-url', `${url}/api/bus`];
  const { status, output } = await runCommand(words, environment);
  expect([status, output]).toEqual([0, expect.stringContaining('guard   stops edits and shell')]);
}

const claim = {
  'claude-code': (lane: string, paths: readonly string[]): Script => [
    { tool: 'ToolSearch', input: { query: 'select:mcp__bus__claim_lane', max_results: 1 } },
    { tool: 'mcp__bus__claim_lane', input: { lane, paths } },
  ],
  codex: (lane: string, paths: readonly string[]): Script => [
    { tool: 'claim_lane', input: { lane, paths }, namespace: 'mcp__bus' },
  ],
};

/** Each way in which the client changes the file. */
const edits: Readonly<Record<ClientName, (project: string) => Script>> = {
  'claude-code': (project) => [
    { tool: 'Read', input: { file_path: join(project, held) } },
    { tool: 'Edit', input: { file_path: join(project, held), old_string: 'one', new_string: 'two' } },
    { tool: 'Write', input: { file_path: join(project, held), content: 'two\n' } },
    { tool: 'Bash', input: { command: `echo two >> ${held}`, description: 'adds a line' } },
  ],
  codex: (project) => [
    { tool: 'exec_command', input: { cmd: `echo two >> ${held}`, workdir: project } },
    {
      tool: 'exec_command',
      input: {
        cmd: `apply_patch <<'END'\n*** Begin Patch\n*** Update File: ${held}\n@@\n-one\n+two\n*** End Patch\nEND`,
        workdir: project,
      },
    },
  ],
};
const refusals = { 'claude-code': 3, codex: 2 } as const;

describe.each(['claude-code', 'codex'] as const)('the guard in a real session of %s', (client) => {
  test('stops every edit of a file that another holds, and says what to do', {
    timeout: 240_000,
  }, async () => {
    const { bus, project, read } = await createStage();
    await claimForOther(bus);
    const run = async (script: Script) => {
      const home = createFolder();
      await setUp(client, home, bus);
      return runSession({ client, script: [...script, { text: 'done' }], project, bus, home });
    };
    const stopped = await run(edits[client](project));
    expect(read()).toBe(whole);
    expect(stopped.lastRequest.split('src/held.txt is held by').length - 1).toBeGreaterThanOrEqual(
      refusals[client],
    );
    expect(stopped.lastRequest).toContain('rewriting the parser');
    expect(stopped.lastRequest).toMatch(
      /claim_lane\(lane=\\*"parser\\*", paths=\[\\*"src\/held\.txt\\*"\], wait_s=45\)/,
    );

    await ask(bus, '/lanes/parser/release', { owner: 'ada' });
    await run(edits[client](project).slice(0, 2));
    expect(read()).not.toBe(whole);
  });

  test('lets the holder edit its own files', { timeout: 240_000 }, async () => {
    const { bus, project, read } = await createStage();
    const home = createFolder();
    await setUp(client, home, bus);
    const script = [...claim[client]('mine', ['src/**']), ...edits[client](project), { text: 'done' }];
    const session = await runSession({ client, script, project, bus, home });
    expect(session.lastRequest).not.toContain('is held by');
    expect(read()).not.toBe(whole);
  });

  test('lets everything pass when the bus is gone', { timeout: 240_000 }, async () => {
    const { bus, project, read } = await createStage();
    await claimForOther(bus);
    await bus.end('SIGKILL');
    const home = createFolder();
    await setUp(client, home, bus);
    const script = [...edits[client](project), { text: 'done' }];
    await runSession({ client, script, project, bus, home });
    expect(read()).not.toBe(whole);
  });
});
