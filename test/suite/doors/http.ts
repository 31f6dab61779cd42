import type { Bus } from '../../../src/contract/contract.ts';
import { createClient } from '../../../src/http/client.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import type { Page } from '../../../src/http/targets.ts';
import type { Door } from './door.ts';

/** The server and the client of this wire, and a real socket between them. */
export const httpDoor: Door = {
  name: 'HTTP',
  offers: () => true,
  async open(bus) {
    const { baseUrl, close } = await listen(bus);
    const client = createClient({ baseUrl });
    return {
      bus: client,
      async close() {
        await client.close();
        await close();
      },
    };
  },
};

/** A server in front of the bus, for the doors that stand before HTTP. */
export async function listen(
  bus: Bus,
  pages: readonly Page[] = [],
): Promise<Readonly<{ url: string; baseUrl: string; close: () => Promise<void> }>> {
  const server = createHttpServer({
    bus,
    version: 'suite',
    allowedHosts: ['127.0.0.1'],
    health: async () => ({ ok: true }),
    pages,
    log: quietLog,
  });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { url, baseUrl: `${url}/api/bus`, close: () => server.close({ graceMs: 0 }) };
}

export const quietLog = {
  info: ignore,
  warn: ignore,
  error: (data: object, message: string) => console.error(message, data),
};

function ignore(): void {}
