import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { startBusServer } from '../../src/app/compose.ts';
import { toDefaultStorePath } from '../../src/cli/folders.ts';
import { createIdentityPage } from '../../src/daemon/identity.ts';
import { writerFile } from '../build.ts';
import { createFolder } from '../folder.ts';
import { createTestClock } from '../suite/clock.ts';

export const hooksFolder = fileURLToPath(new URL('../../hooks/', import.meta.url));
export const sessionId = '0b6c3f5e-1111-4222-8333-444455556666';
/** The session as its MCP server joins with it too. */
export const ownSession = { client: 'claude', session: `claude:${sessionId}` };

const quiet = { info() {}, warn() {}, error() {} };

/** A bus of one test, and the hooks run against it. */
export async function startBus(given: Readonly<{ writeSecret?: string; token?: string }> = {}) {
  const folder = createFolder();
  const clock = createTestClock();
  const identity = createIdentityPage({ token: given.token ?? 'token', callsInFlight: () => 0 });
  const server = await startBusServer({
    store: join(folder, 'bus.db'),
    host: '127.0.0.1',
    port: 0,
    writeSecret: given.writeSecret,
    writerFile,
    clockFrom: () => clock,
    pages: [identity],
    log: quiet,
  });
  onTestFinished(() => server.close());
  const { port } = server.listening;
  const env = { HOME: folder, BUS_MCP_BASE_URL: `http://127.0.0.1:${port}/api/bus` };
  const run = (script: string, input: string, more: NodeJS.ProcessEnv = {}) =>
    runHook(script, input, { ...env, ...more });
  const toInput = (more: object) =>
    JSON.stringify({ session_id: sessionId, cwd: '/work', source: 'startup', ...more });
  return {
    bus: server.bus,
    folder,
    port,
    env,
    run,
    stateFolder: join(dirname(toDefaultStorePath(toMachine(folder))), 'hooks'),
    clock,
    start: (more: object = {}, environment?: NodeJS.ProcessEnv) =>
      run('session-start.mjs', toInput(more), environment),
    end: (more: object = {}, environment?: NodeJS.ProcessEnv) =>
      run('session-end.mjs', toInput(more), environment),
  };
}

/** Runs a hook as a client does: a process of its own, the session on its standard input. */
export function runHook(
  script: string,
  input: string,
  env: NodeJS.ProcessEnv,
  { leaveOpen = false }: Readonly<{ leaveOpen?: boolean }> = {},
) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(hooksFolder, script), 'claude-code'], { env });
  let output = '';
  let errorOutput = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  child.stderr.on('data', (part) => {
    errorOutput += part;
  });
  child.stdin.on('error', () => {});
  if (leaveOpen) child.stdin.write(input);
  else child.stdin.end(input);
  return new Promise<Ran>((resolve) => {
    child.on('close', (status) => {
      const milliseconds = performance.now() - startedAt;
      const context = output === '' ? '' : JSON.parse(output).hookSpecificOutput.additionalContext;
      resolve({ status, output, errorOutput, context, milliseconds });
    });
  });
}

type Ran = {
  status: number | null;
  output: string;
  errorOutput: string;
  context: string;
  milliseconds: number;
};

export async function startStranger(answer: (path: string, body: unknown) => unknown): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const value = await answer(request.url ?? '', text === '' ? undefined : JSON.parse(text));
    response.writeHead(value === undefined ? 404 : 200);
    response.end(typeof value === 'object' ? JSON.stringify(value) : String(value));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function toMachine(home: string) {
  return { platform: process.platform, hostName: 'host', processName: '1', environment: { HOME: home } };
}

/** The id that the session goes by, as the hook at its start tells. */
export async function readOwnId({ start }: Readonly<{ start: () => Promise<Ran> }>): Promise<string> {
  return /You are "(.+?)" here/.exec((await start()).context)?.[1] ?? '';
}
