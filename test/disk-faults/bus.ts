import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Client, createClient } from '../../src/http/client.ts';
import { commandFile } from '../build.ts';

export type RunningBus = Readonly<{
  process: ChildProcess;
  client: Client;
  /** Where its pages are. */
  url: string;
  /** What it said on standard error: its log. */
  said: () => string;
  /** Resolves when the process is gone. */
  end: (signal?: NodeJS.Signals) => Promise<void>;
}>;

export type Start = Readonly<{
  store: string;
  flags?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** A command that runs the command that follows it. */
  under?: readonly string[];
  /** The program of another version of Node.js. */
  node?: string;
}>;

/** A folder of its own for a test, gone afterwards. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bus-disk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The bus as it ships, in a process of its own. Rejects with what it said when it does not start. */
export async function startBus(start: Start): Promise<RunningBus> {
  const { child, output, errorOutput, ended } = spawnBus(start);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  for (;;) {
    const url = /listens on\s+(http:\S+)/.exec(output())?.[1];
    // The log comes another way than the greeting.
    if (url === undefined || !errorOutput().includes('"msg":"the bus listens"')) {
      if (child.exitCode !== null) throw new Error(`the bus did not start: ${errorOutput()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    const client = createClient({ baseUrl: `${url}/api/bus` });
    const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
      await client.close();
      child.kill(signal);
      await ended;
    };
    return { process: child, client, url, said: errorOutput, end };
  }
}

/** All that was posted, oldest first. */
export async function bodiesOf(client: Client): Promise<string[]> {
  return (await client.readMessages({ since_id: 0, limit: 500 })).messages.map(({ body }) => body);
}

/** What a bus that must not start says, on standard error. */
export async function refusalToStart(start: Start): Promise<string> {
  const { child, output, errorOutput, ended } = spawnBus(start);
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const status = await ended;
  clearTimeout(timer);
  if (status !== 1 || output() !== '') throw new Error(`ended with ${status}: ${output()}${errorOutput()}`);
  return errorOutput();
}

function spawnBus({ store, flags = [], environment = {}, under = [], node = process.execPath }: Start) {
  const [command = node, ...rest] = [
    ...under,
    node,
    commandFile,
    ...['serve', '--store', store, '--port', '0'],
    ...flags,
  ];
  const child = spawn(command, rest, {
    env: { PATH: process.env.PATH, HOME: '/nowhere', XDG_DATA_HOME: '/nowhere', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { output: '', errorOutput: '' };
  child.stdout?.on('data', (chunk) => {
    texts.output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    texts.errorOutput += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, ended, output: () => texts.output, errorOutput: () => texts.errorOutput };
}
