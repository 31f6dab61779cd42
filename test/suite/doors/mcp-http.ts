import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpPages } from '../../../src/app/mcp-page.ts';
import { type Door, offeredAt } from './door.ts';
import { listen, quietLog } from './http.ts';
import { toToolBus } from './mcp.ts';

/** The tools in the process of the bus, spoken to in the era in which every request stands for itself. */
export const mcpHttpDoor: Door = {
  name: 'MCP over HTTP',
  offers: offeredAt('mcp', ['signal', 'typedValues']),
  async open(bus) {
    const mcp = createMcpPages({ bus, writeSecret: undefined, log: quietLog });
    const { url, close } = await listen(bus, mcp.pages);
    const client = new Client(
      { name: 'suite', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
    return {
      bus: await toToolBus(client),
      async close() {
        await client.close();
        await mcp.close();
        await close();
      },
    };
  },
};
