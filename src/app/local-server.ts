import { randomBytes } from 'node:crypto';
import type { Config } from '../cli/config.ts';
import type { Address, Starter } from '../daemon/address.ts';
import { createIdentityPage } from '../daemon/identity.ts';
import { announce, type Presence } from '../daemon/presence.ts';
import { readOwnIdentity } from '../daemon/processes.ts';
import { createUse, type Use } from '../daemon/use.ts';
import type { Logger } from '../http/answers.ts';
import type { Listening } from '../http/server.ts';
import { basePath } from '../http/wire.ts';
import { type BusServer, startBusServer } from './compose.ts';
import { toBusVariables, toLocalPlace } from './local.ts';
import { version } from './version.ts';

export type LocalServerOptions = Readonly<{ log: Logger; startedBy: Starter; now: () => number }>;

export type LocalServer = Readonly<{ server: BusServer; use: Use; close: () => Promise<void> }>;

/**
 * Starts a bus that this user's clients can find. If a client started it and its port is in use, it takes another
 * port.
 */
export async function openLocalServer(config: Config, options: LocalServerOptions): Promise<LocalServer> {
  const { log, startedBy } = options;
  const token = randomBytes(24).toString('base64url');
  const use = createUse(options.now);
  const server = await startBusServer({
    ...config,
    takesAnyPort: startedBy === 'client',
    pages: [createIdentityPage({ token, callsInFlight: use.callsInFlight })],
    toFront: use.track,
    log,
  });
  const presence = await enter(config, { ...options, token, server });

  async function close(): Promise<void> {
    presence.end();
    await server.close();
  }

  return { server, use, close };
}

/** A bus that a client started is useless if nobody can find it. Any other bus can work without an address file. */
async function enter(
  config: Config,
  { token, server, log, startedBy }: LocalServerOptions & Readonly<{ token: string; server: BusServer }>,
): Promise<Presence> {
  const address: Address = {
    baseUrl: `${toReachableUrl(server.listening)}${basePath}`,
    ...readOwnIdentity(),
    version,
    startedAt: new Date().toISOString(),
    startedBy,
    token,
    isSecretArmed: config.writeSecret !== undefined,
    settings: toBusVariables(config),
  };
  const tell = (error: unknown) =>
    log.warn({ err: error }, 'clients must be told the address of this bus: it cannot be written down yet');
  try {
    return announce(toLocalPlace(config), address, startedBy === 'serve' ? tell : undefined);
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** A server that listens on all addresses is reached through loopback. */
function toReachableUrl({ host, port, url }: Listening): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  return host === '::' ? `http://[::1]:${port}` : url;
}
