import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { commandFile } from '../build.ts';
import { startCommand } from '../cli/processes.ts';
import { until } from '../suite/ask.ts';

/** A bus as it ships, in a process of its own with a home of its own. */
export type RealBus = Readonly<{
  port: number;
  url: string;
  pid: number;
  home: string;
  environment: Readonly<Record<string, string>>;
  /** Everything that it wrote to its outputs so far. */
  said: () => string;
  residentBytes: () => number;
  stop: () => Promise<void>;
}>;

export type RealBusOptions = Readonly<{
  environment?: Readonly<Record<string, string>>;
  flags?: readonly string[];
  nodeFlags?: readonly string[];
  home?: string;
}>;

export function createHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'bus-closed-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Stopped when the test ends. Rejects with what it said when it does not start. */
export async function startRealBus(options: RealBusOptions = {}): Promise<RealBus> {
  const { flags = [], nodeFlags = [], home = createHome() } = options;
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    XDG_DATA_HOME: join(home, 'data'),
    BUS_STORE: join(home, 'bus.db'),
    BUS_PORT: '0',
    ...options.environment,
  };
  const child = spawn(process.execPath, [...nodeFlags, commandFile, 'serve', ...flags], { env: environment });
  let said = '';
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => {
    hasEnded = true;
  });
  const listen = (chunk: Buffer) => {
    said += chunk;
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await ended;
    clearTimeout(force);
  }

  onTestFinished(stop);
  await until('the bus listens', () => hasEnded || said.includes('Stop it with Ctrl-C'), 30);
  const port = Number(/listens on {2}http:\/\/\S+?:(\d+)\n/.exec(said)?.[1]);
  if (hasEnded || !port) throw new Error(`the bus did not start: ${said}`);
  const pid = child.pid as number;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid,
    home,
    environment,
    said: () => said,
    residentBytes: () =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    stop,
  };
}

/** Runs a command as it ships to its end. */
export async function runCommand(argv: readonly string[], environment: NodeJS.ProcessEnv) {
  const { ended, output, errorOutput } = startCommand(argv, environment);
  return { status: await ended, output: output(), errorOutput: errorOutput() };
}
