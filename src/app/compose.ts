import { randomUUID } from 'node:crypto';
import { createBus, type Engine } from '../bus/bus.ts';
import type { Bus } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { Logger } from '../http/answers.ts';
import { createHttpServer, type HttpServer, type Listening } from '../http/server.ts';
import type { Page } from '../http/targets.ts';
import { createPanelPages } from '../panel/page.ts';
import type { Clock, Pause } from '../store/clock.ts';
import type { ObserveCommit } from '../store/health.ts';
import type { Notice, Notify } from '../store/notice.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { toClockNotice } from './clock-notice.ts';
import { watchDescriptors } from './descriptors.ts';
import { createMcpPages } from './mcp-page.ts';
import { createMetrics } from './metrics.ts';
import { version } from './version.ts';

export type EngineOptions = Readonly<{
  /** A path, or `postgres://…`. */
  store: string;
  leaseSecondsMax?: number;
  isSecretArmed?: boolean;
  /** Called with the latest time that the store remembers. Tests pass their own clock. */
  clockFrom?: (floor: number, aliveUntil?: number) => Clock;
  /** Starts although acknowledged rows are missing, and continues with ids and fences above them. */
  acceptLoss?: boolean;
  observeCommit?: ObserveCommit;
  /** Called for each commit and each read that failed. */
  observeStoreFailure?: () => void;
  /** Called with what the operator should know. */
  notify?: Notify;
  /** The built file of the writer thread. In the bundle it lies beside this file. */
  writerFile?: URL;
}>;

export type OpenedEngine = Readonly<{ bus: Engine; store: Store; close: () => Promise<void> }>;

/** Opens a bus in this process, with its store. */
export async function openEngine(options: EngineOptions): Promise<OpenedEngine> {
  const store = await openStore({
    location: options.store,
    writerFile: options.writerFile ?? new URL('./sqlite-writer.js', import.meta.url),
    ...(options.clockFrom && { clockFrom: options.clockFrom }),
    acceptLoss: options.acceptLoss ?? false,
    observe: options.observeCommit,
    observeFailure: options.observeStoreFailure,
    notify: options.notify,
  });
  const bus = createBus({
    store,
    settings: {
      leaseSecondsMax: options.leaseSecondsMax ?? limits.leaseSecondsMaxDefault,
      isSecretArmed: options.isSecretArmed ?? false,
      version,
      instance: randomUUID(),
    },
  });
  const ahead = options.clockFrom ? undefined : toClockNotice(store.clock.now(), Date.now());
  if (ahead) options.notify?.(ahead);
  store.clock.onPause?.((pause) => options.notify?.(toPauseNotice(pause)));
  async function close(): Promise<void> {
    bus.close();
    await store.close();
  }
  return { bus, store, close };
}

function toPauseNotice({ from, to }: Pause): Notice {
  const message =
    'the bus did not run for a while: who held a live lease before has at least a third of it to renew';
  return { level: 'warn', message, data: { seconds: (to - from) / 1000 } };
}

export type BusServerOptions = Omit<EngineOptions, 'isSecretArmed'> &
  Readonly<{
    host: string;
    /** 0 takes any free port. */
    port: number;
    /** Takes any free port when that one is in use. */
    takesAnyPort?: boolean;
    writeSecret?: string | undefined;
    /** Host names to accept besides the loopback names and the host. */
    allowedHosts?: readonly string[];
    /** The built files of the panel. In the bundle they lie beside this file. */
    panelFolder?: URL;
    /** Pages to serve besides the operations. */
    pages?: readonly Page[];
    /** Wraps the engine; the result is the bus that the doors use. */
    toFront?: (engine: Bus) => Bus;
    log: Logger;
  }>;

export type BusServer = OpenedEngine & Readonly<{ listening: Listening }>;

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Starts the engine behind its doors. Closing it finishes running calls and keeps everything that was acknowledged.
 */
export async function startBusServer(options: BusServerOptions): Promise<BusServer> {
  const { host, port, writeSecret, log } = options;
  const metrics = createMetrics();
  const notify: Notify = ({ level, message, data = {} }) => log[level](data, message);
  const engine = await openEngine({
    ...options,
    isSecretArmed: writeSecret !== undefined,
    observeCommit: metrics.observeCommit,
    observeStoreFailure: metrics.observeStoreFailure,
    notify,
  });
  const descriptors = watchDescriptors(notify);
  const bus = options.toFront?.(engine.bus) ?? engine.bus;
  const mcp = createMcpPages({ bus, writeSecret, checkRoom: () => server.checkRoom(), log });
  const panelFolder = options.panelFolder ?? new URL('./panel/', import.meta.url);
  const panel = createPanelPages({ bus: engine.bus, folder: panelFolder });
  const metricsPage = metrics.toPage(engine.bus, () => ({
    readersWaiting: engine.bus.readersWaiting(),
    eventStreams: server.eventStreams(),
  }));
  const server = createHttpServer({
    bus,
    version,
    writeSecret,
    allowedHosts: [...loopbackNames, host, ...(options.allowedHosts ?? [])],
    health: async () => {
      descriptors.check();
      await engine.store.probe();
      return { ok: true, version, store: engine.store.kind };
    },
    pages: [...panel, metricsPage, ...mcp.pages, ...(options.pages ?? [])],
    observe: metrics.observeRequest,
    onQuietChange: engine.bus.onQuietChange,
    log,
  });

  async function close(): Promise<void> {
    descriptors.stop();
    const closed = server.close();
    // Answer everyone who waits now: nothing can wake them later.
    engine.bus.close();
    await mcp.close();
    await closed;
    await engine.store.close();
  }

  try {
    return { ...engine, listening: await listen(server, options), close };
  } catch (error) {
    descriptors.stop();
    await engine.close();
    throw toListenError(error, host, port);
  }
}

async function listen(
  server: HttpServer,
  { host, port, takesAnyPort }: BusServerOptions,
): Promise<Listening> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    if (!takesAnyPort || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return await server.listen({ host, port: 0 });
  }
}

function toListenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new Error(`port ${port} is taken: use the bus that runs there, or choose another with --port`);
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new Error(
      `this process cannot listen on ${host}:${port} (${code}): choose another with --host and --port`,
    );
  }
  return error;
}
