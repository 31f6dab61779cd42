import { pino } from 'pino';
import type { Config } from './cli/config.ts';
import { type BusServer, startBusServer } from './compose.ts';
import { basePath } from './http/wire.ts';
import { version } from './version.ts';

/** Runs the bus in the foreground until a signal asks it to stop. */
export async function serveUntilStopped(config: Config): Promise<void> {
  const log = pino({ name: 'bus-mcp', level: 'info' }, pino.destination({ fd: 2, sync: true }));
  const server = await startBusServer({ ...config, log });
  process.stdout.write(toGreeting(config, server));
  const signal = await nextStopSignal();
  log.info({ signal }, 'stopping: no new requests, what runs is finished');
  await server.close();
}

/** Where it listens, where the data lies, and what to paste. */
function toGreeting(config: Config, { listening, store }: BusServer): string {
  const baseUrl = `${listening.url}${basePath}`;
  const environment = {
    ...(listening.port !== 8100 && { BUS_MCP_BASE_URL: baseUrl }),
    ...(config.writeSecret !== undefined && { BUS_WRITE_SECRET: '<the secret of this bus>' }),
  };
  const block = {
    mcpServers: {
      bus: {
        command: process.execPath,
        args: [process.argv[1] ?? 'bus-mcp'],
        ...(Object.keys(environment).length > 0 && { env: environment }),
      },
    },
  };
  return [
    `bus-mcp ${version}`,
    `  listens on  ${listening.url}`,
    `  data lies in  ${store.location}`,
    `  writes  ${config.writeSecret === undefined ? 'are open to this machine' : 'demand the write secret'}`,
    '',
    'Paste this into the configuration of your MCP client:',
    '',
    JSON.stringify(block, null, 2),
    '',
    'Stop it with Ctrl-C.',
    '',
  ].join('\n');
}

function nextStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => resolve(signal));
  });
}
