import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bus } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { Logger } from '../http/answers.ts';
import { readJson } from '../http/body.ts';
import { createGuard } from '../http/guard.ts';
import type { Page } from '../http/targets.ts';
import { headerNames } from '../http/wire.ts';
import type { McpHttp } from '../mcp/http.ts';
import { version } from './version.ts';

export type McpPageOptions = Readonly<{
  bus: Bus;
  writeSecret: string | undefined;
  /** Throws a refusal when there is no room for another response. */
  checkRoom?: () => void;
  log: Logger;
}>;

const loadMilliseconds = 1_000;

/** `/mcp`: the MCP server over HTTP. It is loaded on its first request, or shortly after the bus has started. */
export function createMcpPages(options: McpPageOptions): {
  pages: readonly Page[];
  close: () => Promise<void>;
} {
  let opened: Promise<McpHttp> | undefined;
  const open = () => {
    opened ??= openDoor(options);
    return opened;
  };
  // Do not wait longer: the files of this version may be gone once another version is installed over it.
  const timer = setTimeout(() => void open().catch(() => {}), loadMilliseconds).unref();
  const handle: Page['handle'] = async (request, response) => (await open()).handle(request, response);
  return {
    // Without sessions there is nothing to GET or DELETE. The protocol expects the server itself to say so.
    pages: ['/mcp', '/mcp/'].flatMap((path) =>
      ['POST', 'GET', 'DELETE'].map((method) => ({ method, path, handle })),
    ),
    async close() {
      clearTimeout(timer);
      const door = await opened?.catch(() => undefined);
      await door?.close();
    },
  };
}

async function openDoor({ bus, writeSecret, checkRoom = () => {}, log }: McpPageOptions): Promise<McpHttp> {
  const { createMcpDoor } = await import('../mcp/door.ts');
  const guard = createGuard({ allowedHosts: [], writeSecret });
  return createMcpDoor({
    bus,
    version,
    checkSecret: (given) => guard.checkSecret({ headers: { [headerNames.writeSecret]: given } }),
    checkRoom,
    readBody,
    log: (sentence, cause) => log.warn({ err: cause }, sentence),
  });
}

function readBody(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  return new Promise((resolve, reject) => {
    readJson(request, response, limits.requestBytesMax, (refusal, value) => {
      if (refusal) reject(refusal);
      else resolve(value);
    });
  });
}
