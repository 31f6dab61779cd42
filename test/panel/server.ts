import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createBus, type Engine } from '../../src/bus/bus.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createPanelPages } from '../../src/panel/page.ts';
import type { Clock } from '../../src/store/clock.ts';
import { openStore } from '../../src/store/open.ts';

export type PanelServer = Readonly<{
  bus: Engine;
  url: string;
  /** Stops the bus with all its connections. */
  stop: () => Promise<void>;
  /** The same bus again: same rows, same address, another secret or version perhaps. */
  restart: (changes?: Partial<PanelServerOptions>) => Promise<void>;
  /** Stops for good and forgets the rows. */
  close: () => Promise<void>;
}>;

export type PanelServerOptions = Readonly<{
  writeSecret?: string | undefined;
  version?: string;
  clockFrom?: (floor: number) => Clock;
  /** Begins with a new database. */
  isEmpty?: boolean;
}>;

/** A real bus with its page on a real port. */
export async function startPanelServer(options: PanelServerOptions = {}): Promise<PanelServer> {
  const folder = mkdtempSync(join(tmpdir(), 'panel-'));
  let databases = 1;
  const toLocation = () => join(folder, `bus-${databases}.db`);
  let running = await run({ ...options, location: toLocation(), port: 0 });
  const { port, url } = running.listening;
  let isRunning = true;

  async function stop(): Promise<void> {
    if (!isRunning) return;
    isRunning = false;
    await running.stop();
  }

  return {
    get bus() {
      return running.bus;
    },
    url,
    stop,
    async restart(changes = {}) {
      await stop();
      if (changes.isEmpty) databases += 1;
      running = await run({ ...options, ...changes, location: toLocation(), port });
      isRunning = true;
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The bundle, which holds the writer thread and what the browser gets. */
const built = new URL('dist/', pathToFileURL(`${process.cwd()}/`));

async function run(options: PanelServerOptions & Readonly<{ location: string; port: number }>) {
  const { writeSecret, version = '1.2.3', clockFrom } = options;
  const store = await openStore({
    location: options.location,
    writerFile: new URL('sqlite-writer.js', built),
    ...(clockFrom && { clockFrom }),
  });
  const isSecretArmed = writeSecret !== undefined;
  const settings = { leaseSecondsMax: 86_400, isSecretArmed, version, instance: 'panel-test' };
  const bus = createBus({ store, settings });
  const server = createHttpServer({
    bus,
    version,
    writeSecret,
    allowedHosts: ['127.0.0.1', 'localhost'],
    health: async () => ({ ok: true }),
    onQuietChange: bus.onQuietChange,
    pages: createPanelPages({ bus, folder: new URL('panel/', built) }),
    log: { info() {}, warn() {}, error: (data, message) => console.error(message, data) },
  });
  const listening = await server.listen({ host: '127.0.0.1', port: options.port });

  async function stop(): Promise<void> {
    const closed = server.close({ graceMs: 0 });
    bus.close();
    await closed;
    await store.close();
  }

  return { bus, listening, stop };
}
