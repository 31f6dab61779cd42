import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandFile } from '../build.ts';

/** A run of the command that ships. */
export type CommandProcess = Readonly<{
  child: ChildProcess;
  output(): string;
  errorOutput(): string;
  /** Its exit status, or the name of the signal that ended it. */
  ended: Promise<number | string>;
}>;

export function startCommand(argv: readonly string[], environment: NodeJS.ProcessEnv = {}): CommandProcess {
  const child = spawn(process.execPath, [commandFile, ...argv], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { output: '', errorOutput: '' };
  child.stdout.on('data', (chunk) => {
    texts.output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    texts.errorOutput += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, ended, output: () => texts.output, errorOutput: () => texts.errorOutput };
}

export type BusProcess = CommandProcess & Readonly<{ baseUrl: string; port: number }>;

/** Starts a bus and waits until it says where it listens. */
export async function startBus(store: string, port = 0): Promise<BusProcess> {
  const run = startCommand(['serve', '--store', store, '--port', String(port)]);
  for (;;) {
    const found = run.output().match(/listens on\s+http:\/\/[\d.]+:(\d+)/);
    if (found) return { ...run, port: Number(found[1]), baseUrl: `http://127.0.0.1:${found[1]}/api/bus` };
    if (run.child.exitCode !== null) throw new Error(`the bus did not start: ${run.errorOutput()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
