import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFolder } from '../folder.ts';
import { hooksFolder, sessionId, startBus, startStranger } from './stage.ts';

const line = /^src\/held\.ts is held by 'ada' for \d+ s more: "rewriting". Wait: claim_lane\(lane="parser"/;

function createProject(): string {
  const project = createFolder();
  execFileSync('git', ['init', '-q', project]);
  execFileSync('git', ['-C', project, 'remote', 'add', 'origin', 'git@github.com:acme/pocket.git']);
  mkdirSync(join(project, 'src'));
  writeFileSync(join(project, 'src/held.ts'), '');
  symlinkSync('src/held.ts', join(project, 'link.ts'));
  return project;
}

async function createStage() {
  const stage = await startBus();
  const project = createProject();
  const claim = (owner: string) =>
    stage.bus.claimLane({
      lane: 'parser',
      owner,
      lease_s: 60,
      note: 'rewriting',
      paths: ['github.com/acme/pocket/src/held.ts'],
    });
  const ask = (client: string, payload: object, settings: readonly string[] = []) =>
    run([client, ...settings], { session_id: sessionId, cwd: project, ...payload }, stage.env);
  return { ...stage, project, claim, ask };
}

/** Runs the script as a client does. */
function run(words: readonly string[], payload: unknown, env: NodeJS.ProcessEnv) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(hooksFolder, 'guard.mjs'), ...words], { env });
  let [output, errorOutput] = ['', ''];
  child.stdout.on('data', (part) => {
    output += part;
  });
  child.stderr.on('data', (part) => {
    errorOutput += part;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return new Promise<{ status: number | null; output: string; errorOutput: string; milliseconds: number }>(
    (resolve) => {
      child.on('close', (status) =>
        resolve({ status, output, errorOutput, milliseconds: performance.now() - startedAt }),
      );
    },
  );
}

const edit = { tool_name: 'Edit', tool_input: { file_path: 'src/held.ts' } };

/** The payload of each client, and where its denial carries the reason. */
const clients: Readonly<Record<string, readonly [payload: object, read: (answer: never) => string]>> = {
  codex: [
    { tool_name: 'Bash', tool_input: { command: 'echo x >> src/held.ts' } },
    (answer: { hookSpecificOutput: { permissionDecision: string; permissionDecisionReason: string } }) =>
      answer.hookSpecificOutput.permissionDecisionReason,
  ],
  gemini: [
    { tool_name: 'write_file', tool_input: { file_path: 'src/held.ts' } },
    (answer: { reason: string }) => answer.reason,
  ],
  cursor: [
    { tool_name: 'Write', tool_input: { path: 'src/held.ts' } },
    (answer: { agent_message: string }) => answer.agent_message,
  ],
  vscode: [
    { tool_name: 'create_file', tool_input: { filePath: 'src/held.ts' } },
    (answer: { hookSpecificOutput: { permissionDecisionReason: string } }) =>
      answer.hookSpecificOutput.permissionDecisionReason,
  ],
  'copilot-cli': [
    { toolName: 'edit', toolArgs: JSON.stringify({ path: 'src/held.ts' }) },
    (answer: { permissionDecisionReason: string }) => answer.permissionDecisionReason,
  ],
};

describe('the script that asks before an edit', () => {
  test.each(Object.entries(clients))('stops it in the words of %s', async (client, [payload, read]) => {
    const { ask, claim } = await createStage();
    await claim('ada');
    const { status, output } = await ask(client, payload);
    expect(status).toBe(0);
    expect(read(JSON.parse(output) as never)).toMatch(line);
  });

  test('stops OpenCode by what its plugin throws', async () => {
    const { ask, claim } = await createStage();
    await claim('ada');
    const payload = { tool_name: 'edit', tool_input: { filePath: 'src/held.ts' } };
    const { status, output } = await ask('opencode', payload);
    expect([status, output]).toEqual([2, expect.stringMatching(line)]);
  });

  test('says nothing where nobody holds the file, and nothing about a read', async () => {
    const { ask, claim } = await createStage();
    const silence = { status: 0, output: '', errorOutput: '' };
    expect(await ask('codex', edit)).toMatchObject(silence);
    await claim('ada');
    expect(await ask('codex', { tool_name: 'Read', tool_input: edit.tool_input })).toMatchObject(silence);
    const other = { ...edit, tool_input: { file_path: 'src/other.ts' } };
    expect(await ask('codex', other)).toMatchObject(silence);
  });

  test('looks at the link and at what it leads to', async () => {
    const { ask, claim } = await createStage();
    await claim('ada');
    const { output } = await ask('codex', { ...edit, tool_input: { file_path: 'link.ts' } });
    expect(output).toContain('is held by');
  });

  test('never refuses a session its own files, nor those of its subagents and holds', async () => {
    for (const ending of ['', '/tests', ':hold:1']) {
      const { ask, bus, claim } = await createStage();
      const { agent } = await bus.joinAgent({ session: `codex:${sessionId}`, client: 'codex' });
      await claim(`${agent}${ending}`);
      expect((await ask('codex', edit)).output).toBe('');
    }
    const { ask, claim } = await createStage();
    await claim('ada');
    expect((await ask('codex', edit, ['BUS_MCP_AGENT_ID=ada'])).output).toBe('');
  });

  test('lets pass where nobody can tell who the session is', async () => {
    const { ask, claim } = await createStage();
    await claim('ada');
    expect((await ask('codex', { ...edit, session_id: undefined })).output).toBe('');
  });

  test('only says it with BUS_MCP_GUARD=warn, and is silent with off', async () => {
    const { ask, claim } = await createStage();
    await claim('ada');
    const warned = JSON.parse((await ask('codex', edit, ['BUS_MCP_GUARD=warn'])).output);
    expect(warned).toEqual({ systemMessage: expect.stringMatching(line) });
    expect((await ask('codex', edit, ['BUS_MCP_GUARD=off'])).output).toBe('');
  });

  test.each([
    ['no bus', async () => 'http://127.0.0.1:9'],
    ['a bus that hangs', () => startStranger(() => new Promise(() => {}))],
    ['a page of HTML', () => startStranger(() => '<html></html>')],
    ['a bus that does not know the question', () => startStranger(() => undefined)],
    ['an answer of another form', () => startStranger(() => ({ held: 5 }))],
  ])('lets pass within 800 ms with %s, and leaves word for doctor', async (_, open) => {
    const home = createFolder();
    const env = { HOME: home, BUS_MCP_BASE_URL: `${await open()}/api/bus` };
    const ran = await run(['codex'], { session_id: sessionId, cwd: createProject(), ...edit }, env);
    expect(ran).toMatchObject({ status: 0, output: '', errorOutput: '' });
    const note = readFileSync(join(home, '.local/share/bus-mcp/guard/codex.json'), 'utf8');
    expect(JSON.parse(note)).toMatchObject({ client: 'codex', problem: expect.any(String) });
  });

  test.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['an empty object', '{}'],
  ])('lets pass when its input is %s', async (_, input) => {
    const { env } = await startBus();
    expect(await run(['codex'], input, env)).toMatchObject({ status: 0, output: '', errorOutput: '' });
  });
});
