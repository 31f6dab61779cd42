import type { Server } from 'node:http';
import { onTestFinished } from 'vitest';
import { createMcpPages } from '../../src/app/mcp-page.ts';
import type { Bus } from '../../src/contract/contract.ts';
import { createHttpServer } from '../../src/http/server.ts';
import type { Page } from '../../src/http/targets.ts';

type LogEntry = Readonly<{ level: string; data: object; message: string }>;

export type McpServerUnderTest = Readonly<{
  url: string;
  port: number;
  log: readonly LogEntry[];
  server: Server;
  close: () => Promise<void>;
}>;

/** The MCP server as the process of the bus mounts it, in front of a bus, closed when the test ends. */
export function startMcpHttp(
  bus: Bus,
  { port = 0, ...options }: McpServerSettings = {},
): Promise<McpServerUnderTest> {
  const log: LogEntry[] = [];
  const mcp = createMcpPages({ writeSecret: undefined, ...options, bus, log: toLogger(log) });
  return startPages({ bus, log, port, pages: mcp.pages, closePages: mcp.close });
}

type McpServerSettings = Readonly<{
  writeSecret?: string;
  port?: number;
  checkRoom?: () => void;
}>;

/** The same around pages of the test's own making. */
export async function startPages(
  options: Readonly<{
    bus: Bus;
    pages: readonly Page[];
    closePages: () => Promise<void>;
    port?: number;
    log?: LogEntry[];
  }>,
): Promise<McpServerUnderTest> {
  const { bus, pages, port = 0, log = [] } = options;
  const server = createHttpServer({
    bus,
    version: '1.2.3',
    allowedHosts: ['127.0.0.1', 'localhost'],
    health: async () => ({ ok: true }),
    pages,
    log: toLogger(log),
  });
  const listening = await server.listen({ host: '127.0.0.1', port });
  async function close(): Promise<void> {
    const closed = server.close({ graceMs: 500 });
    await options.closePages();
    await closed;
  }
  onTestFinished(close);
  return { url: `${listening.url}/mcp`, port: listening.port, log, server: server.server, close };
}

function toLogger(entries: LogEntry[]) {
  const add = (level: string) => (data: object, message: string) =>
    void entries.push({ level, data, message });
  return { info: add('info'), warn: add('warn'), error: add('error') };
}
