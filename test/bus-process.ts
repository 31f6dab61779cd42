import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type Client, createClient } from '../src/http/client.ts';
import { createFolder } from './folder.ts';
import { type CommandOptions, startCommand } from './processes.ts';
import { until } from './suite/ask.ts';

/** A bus as it ships, in a process of its own. */
export type RunningBus = Readonly<{
  process: ChildProcess;
  client: Client;
  pid: number;
  port: number;
  /** Where its pages are, and where its API is. */
  url: string;
  baseUrl: string;
  home: string;
  environment: Readonly<Record<string, string>>;
  /** What it said on standard error: its log. */
  said: () => string;
  /** Everything that it wrote so far. */
  wrote: () => string;
  residentBytes: () => number;
  /** Resolves when the process is gone. */
  end: (signal?: NodeJS.Signals) => Promise<void>;
}>;

export type Start = CommandOptions &
  Readonly<{
    /** Without one, a file in the home folder. */
    store?: string;
    /** Without one, a folder of this test. */
    home?: string;
    flags?: readonly string[];
    environment?: Readonly<Record<string, string>>;
  }>;

/** A bus that ends with the test. Rejects with what it said when it does not start. */
export async function startBus(start: Start = {}): Promise<RunningBus> {
  const home = start.home ?? createFolder();
  const spawned = spawnBus({ ...start, home });
  onTestFinished(() => spawned.end('SIGKILL'));
  return await toRunning(spawned);
}

/** A bus for all tests of a file. */
export function useBus(folder: string): () => RunningBus {
  let bus: RunningBus;
  beforeAll(async () => {
    bus = await toRunning(spawnBus({ home: folder }));
  });
  afterAll(() => bus.end());
  return () => bus;
}

/** What a bus that must not start says, on standard error. */
export async function refusalToStart(start: Start): Promise<string> {
  const { child, output, errorOutput, ended } = spawnBus({ home: '/nowhere', ...start });
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const status = await ended;
  clearTimeout(timer);
  if (status !== 1 || output() !== '') throw new Error(`ended with ${status}: ${output()}${errorOutput()}`);
  return errorOutput();
}

/** All that was posted, oldest first. */
export async function bodiesOf(client: Client): Promise<string[]> {
  return (await client.readMessages({ since_id: 0, limit: 500 })).messages.map(({ body }) => body);
}

function spawnBus({ home, store, flags = [], environment: more, ...options }: Start & { home: string }) {
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    XDG_DATA_HOME: join(home, 'data'),
    BUS_STORE: store ?? join(home, 'bus.db'),
    BUS_PORT: '0',
    ...more,
  };
  const run = startCommand(['serve', ...flags], environment, options);
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    run.child.kill(signal);
    const force = setTimeout(() => run.child.kill('SIGKILL'), 8_000);
    await run.ended;
    clearTimeout(force);
  };
  return { ...run, home, environment, end };
}

async function toRunning(spawned: ReturnType<typeof spawnBus>): Promise<RunningBus> {
  const { child, output, errorOutput, home, environment } = spawned;
  // The log comes another way than the greeting.
  const isUp = () =>
    output().includes('Stop it with Ctrl-C') && errorOutput().includes('"msg":"the bus listens"');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await until('the bus listens', () => hasEnded() || isUp(), 30);
  const port = Number(/listens on\s+http:\/\/\S+?:(\d+)\n/.exec(output())?.[1]);
  if (!port || hasEnded()) {
    await spawned.ended;
    throw new Error(`the bus did not start: ${errorOutput()}`);
  }
  const url = `http://127.0.0.1:${port}`;
  const baseUrl = `${url}/api/bus`;
  const client = createClient({ baseUrl });
  return {
    process: child,
    pid: child.pid as number,
    client,
    port,
    url,
    baseUrl,
    home,
    environment,
    said: errorOutput,
    wrote: () => `${output()}${errorOutput()}`,
    residentBytes: () =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    async end(signal) {
      await client.close();
      await spawned.end(signal);
    },
  };
}
