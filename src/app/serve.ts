import { pino } from 'pino';
import type { Config } from '../cli/config.ts';
import type { Terminal } from '../cli/terminal.ts';
import { untilIdle } from '../daemon/idle.ts';
import { createLogFile } from '../daemon/log-file.ts';
import type { Logger } from '../http/answers.ts';
import { basePath } from '../http/wire.ts';
import { DatabaseHeldError } from '../store/sqlite/lock.ts';
import type { BusServer } from './compose.ts';
import { toLocalPlace } from './local.ts';
import { type LocalServer, openLocalServer } from './local-server.ts';
import { version } from './version.ts';

/** Runs the bus in the foreground until a signal asks it to stop. */
export async function serveUntilStopped(config: Config, terminal: Terminal): Promise<void> {
  const log = pino(logOptions, pino.destination({ fd: 2, sync: true }));
  const local = await openLocalServer(config, { log, startedBy: 'serve', now });
  const { server } = local;
  // Listen for signals before the greeting: whoever reads it may stop the bus at once.
  const signalled = nextStopSignal().then((signal) => ({ signal }));
  // If the greeting cannot be printed, say so and keep running.
  await terminal.print(toGreeting(config, server));
  log.info({ url: server.listening.url, store: server.store.location, version }, listens);
  await closeAfter({ local, log, asked: signalled });
}

/** Runs a bus that a client started, until a signal or until it has been idle long enough. */
export async function serveUntilIdle(config: Config): Promise<void> {
  const { logFile, store } = toLocalPlace(config);
  const log = pino(logOptions, createLogFile({ path: logFile }));
  const local = await openLocalServer(config, { log, startedBy: 'client', now }).catch((error) => {
    // Several clients may start a bus at the same time. All but the first find the database in use, and their bus
    // exits.
    if (!(error instanceof DatabaseHeldError)) throw error;
    log.info(error.message);
  });
  if (!local) return;
  log.info({ url: local.server.listening.url, store, version }, listens);
  const ended = Promise.race([nextStopSignal(), idleFor(local, config.idleExitSeconds)]);
  await closeAfter({ local, log, asked: ended.then((reason) => ({ reason })) });
}

/** Shuts the bus down in order. If its store is gone it ends with an error, so that a supervisor restarts it. */
async function closeAfter({ local, log, asked }: Ending): Promise<void> {
  const gone = local.server.store.gone?.then((failure) => ({ failure }));
  const end: object = await Promise.race(gone ? [asked, gone] : [asked]);
  if (!('failure' in end)) {
    log.info(end, stopping);
    return await local.close();
  }
  log.error(end, storeGone);
  await local.close();
  throw new Error(`${storeGone} (${end.failure}): start it again`);
}

type Ending = Readonly<{ local: LocalServer; log: Logger; asked: Promise<object> }>;

const logOptions = { name: 'bus-mcp', level: 'info' };
const listens = 'the bus listens';
const stopping = 'stopping: no new requests, what runs is finished';
const storeGone = 'the store is gone, and with it this bus';
const now = () => performance.now();

async function idleFor({ server, use }: LocalServer, idleSeconds: number): Promise<string> {
  const setTimer = (callback: () => void, milliseconds: number) => void setTimeout(callback, milliseconds);
  await untilIdle({ bus: server.bus, use, idleSeconds, now, setTimer });
  return `idle for ${idleSeconds} seconds`;
}

/** Where the bus listens, where its data is, and what to paste into a client. */
function toGreeting(config: Config, { listening, store }: BusServer): string {
  const baseUrl = `${listening.url}${basePath}`;
  const environment = {
    // Without this variable, a client looks for the bus of the default store.
    ...((listening.port !== 8100 || config.given.has('store')) && { BUS_MCP_BASE_URL: baseUrl }),
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
    `  keeps data in  ${store.location}`,
    `  writes  ${config.writeSecret === undefined ? 'are open to this machine' : 'demand the write secret'}`,
    '',
    'Paste this into the configuration of your MCP client:',
    '',
    JSON.stringify(block, null, 2),
    '',
    'Stop it with Ctrl-C.',
  ].join('\n');
}

/** Further signals change nothing, except a second Ctrl-C: then somebody does not want to wait. */
function nextStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
  });
}
