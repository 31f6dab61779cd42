import type { ListenOptions, Logger, OpenBusOptions, OpenedBus } from '../../types/index.d.ts';
import { isLoopbackHost } from '../cli/values.ts';
import { basePath } from '../http/wire.ts';
import type { BusServer, OpenedEngine } from './compose.ts';

export { contract } from '../contract/contract.ts';
export { errorTable } from '../contract/errors.ts';
export { parseInput } from '../contract/input.ts';
// The entry point bus-mcp, declared in types/index.d.ts.
export * from './client.ts';
export { version } from './version.ts';

export async function openBus(options: OpenBusOptions): Promise<OpenedBus> {
  const { store, leaseSecondsMax, acceptLoss, listen, log = silent } = options;
  if (listen) refuseOpenHost(listen);
  // A program that only needs the client does not have to load the engine.
  const { openEngine, startBusServer } = await import('./compose.ts');
  const engineOptions = {
    store,
    ...(leaseSecondsMax !== undefined && { leaseSecondsMax }),
    ...(acceptLoss !== undefined && { acceptLoss }),
  };
  if (!listen) return toOpenedBus(await openEngine(engineOptions), undefined);
  const { host = '127.0.0.1', port = 8100, allowedHosts = [] } = listen;
  // An empty string counts as unset, as in the settings.
  const writeSecret = listen.writeSecret || undefined;
  const server = await startBusServer({ ...engineOptions, host, port, writeSecret, allowedHosts, log });
  return toOpenedBus(server, server.listening.url + basePath);
}

const silent: Logger = { info() {}, warn() {}, error() {} };

function refuseOpenHost({ host, writeSecret }: ListenOptions): void {
  if (host === undefined || isLoopbackHost(host) || writeSecret) return;
  throw new Error(
    `${host} can be reached from other machines, and no writeSecret is given: give one, or listen on 127.0.0.1`,
  );
}

function toOpenedBus(opened: OpenedEngine | BusServer, baseUrl: string | undefined): OpenedBus {
  const { bus, store, close } = opened;
  return { ...bus, location: store.location, baseUrl, close };
}
