import { join } from 'node:path';
import { type RunningBus, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { postMany } from '../suite/ask.ts';

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
