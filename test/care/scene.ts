import { join } from 'node:path';
import { startCommand } from '../cli/processes.ts';
import { type RunningBus, startBus } from '../disk-faults/bus.ts';
import { postMany } from '../suite/ask.ts';
import { createFolder } from './stage.ts';

export type Ran = Readonly<{ status: number | string; output: string; errorOutput: string }>;

/** Runs the command that ships, without a home. */
export async function run(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<Ran> {
  const { ended, output, errorOutput } = startCommand(argv, { HOME: '/nowhere', ...environment });
  return { status: await ended, output: output(), errorOutput: errorOutput() };
}

/** A bus that runs, with so many messages, and what a command needs to reach it. */
export async function createScene(count: number) {
  const folder = createFolder();
  const store = join(folder, 'bus.db');
  const bus = await startBus({ store });
  await Promise.all(Array.from({ length: count }, () => postMany(bus.client, 1)));
  return { folder, store, bus, environment: toEnvironment(bus, store) };
}

function toEnvironment({ url }: RunningBus, store: string): NodeJS.ProcessEnv {
  return { BUS_MCP_BASE_URL: `${url}/api/bus`, BUS_STORE: store };
}
