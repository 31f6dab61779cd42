import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { commandFile } from '../build.ts';
import type { RunningBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { type ClientName, installClient } from './install.ts';
import { type Request, type Script, startModel } from './model.ts';

/** A run of a real client from its prompt to its end. */
export type Session = Readonly<{
  client: ClientName;
  script: Script;
  project: string;
  bus: Pick<RunningBus, 'url'>;
  /** Own words of the client's command line. */
  words?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Written into the home folder before the client starts, by their paths in it. */
  files?: Readonly<Record<string, string>>;
  home?: string;
}>;

export type EndedSession = Readonly<{
  status: number | null;
  output: string;
  requests: readonly Request[];
  /** What the model was sent after its last step, and so what every tool answered. */
  lastRequest: string;
}>;

/** Runs one session to its end. Both clients get an empty home and talk to nobody but the bus and the scripted model. */
export async function runSession(session: Session): Promise<EndedSession> {
  const program = await installClient(session.client);
  const model = await startModel(session.script);
  onTestFinished(model.close);
  const home = session.home ?? createFolder();
  const { words, files, environment } = setups[session.client]({ ...session, home }, model.url);
  for (const [path, text] of Object.entries({ ...files, ...session.files })) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  const child = spawn(program, [...words, ...(session.words ?? []), '--', 'do it'], {
    cwd: session.project,
    env: { PATH: process.env.PATH ?? '', HOME: home, ...environment, ...session.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (!model.isDone()) throw new Error(`the session ended before its script did: ${output.slice(-3_000)}`);
  return { status, output, requests: model.requests, lastRequest: model.requests.at(-1)?.text ?? '' };
}

type Setup = Readonly<{
  words: readonly string[];
  files: Readonly<Record<string, string>>;
  environment: Readonly<Record<string, string>>;
}>;

const setups: Readonly<Record<ClientName, (session: Session & { home: string }, modelUrl: string) => Setup>> =
  {
    'claude-code': ({ home, bus }, modelUrl) => ({
      words: [
        '-p',
        '--dangerously-skip-permissions',
        '--output-format',
        'stream-json',
        '--verbose',
        '--mcp-config',
        join(home, 'mcp.json'),
      ],
      files: { 'mcp.json': JSON.stringify({ mcpServers: { bus: toServer(bus) } }) },
      environment: {
        ANTHROPIC_BASE_URL: modelUrl,
        ANTHROPIC_API_KEY: 'x',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        IS_SANDBOX: '1',
      },
    }),
    codex: ({ bus }, modelUrl) => ({
      words: [
        'exec',
        '--skip-git-repo-check',
        '--dangerously-bypass-approvals-and-sandbox',
        '--dangerously-bypass-hook-trust',
      ],
      files: { '.codex/config.toml': toCodexConfig(bus, modelUrl) },
      environment: {},
    }),
  };

function toServer({ url }: Pick<RunningBus, 'url'>) {
  return { command: process.execPath, args: [commandFile], env: { BUS_MCP_BASE_URL: `${url}/api/bus` } };
}

function toCodexConfig(bus: Pick<RunningBus, 'url'>, modelUrl: string): string {
  const { command, args, env } = toServer(bus);
  return `
model = "gpt-5-codex"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "${modelUrl}/v1"
wire_api = "responses"
[mcp_servers.bus]
command = ${JSON.stringify(command)}
args = ${JSON.stringify(args)}
env = { BUS_MCP_BASE_URL = "${env.BUS_MCP_BASE_URL}" }
`;
}
