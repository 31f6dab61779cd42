import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { version } from '../src/app/version.ts';
import type { Bus } from '../src/contract/contract.ts';
import { createFixedIdentity } from '../src/mcp/identity.ts';
import type { KeepAlive } from '../src/mcp/keep-alive.ts';
import { createMcpServer } from '../src/mcp/server.ts';
import type { OpeningAnswers } from '../src/mcp/stdio/opening.ts';
import type { Watcher } from '../src/mcp/watcher.ts';

const modernVersion = '2026-07-28';
const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'];

/** What the server over stdio answers to the requests that open a session, asked from the server itself. */
export async function toOpeningAnswers(): Promise<OpeningAnswers> {
  const legacyVersions = SUPPORTED_PROTOCOL_VERSIONS.filter((one) => one < modernVersion);
  const initialize = await toResults(legacyVersions, (one) => [toInitialize(one)]);
  const first = toInitialize(legacyVersions[0] ?? '');
  return {
    initialize,
    legacy: await toResults([...lists, 'ping'], (method) => [first, { method }]),
    modern: await toResults([...lists, 'server/discover'], (method) => [{ method, params: modernParams }]),
    modernVersion,
  };
}

type Request = Readonly<{ method: string; params?: object }>;

const clientInfo = { name: 'build', version: '1' };
const modernParams = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};

function toInitialize(protocolVersion: string): Request {
  return { method: 'initialize', params: { protocolVersion, capabilities: {}, clientInfo } };
}

async function toResults(
  names: readonly string[],
  toRequests: (name: string) => readonly Request[],
): Promise<Record<string, string>> {
  const entries = names.map(async (name) => [name, await askLast(toRequests(name))]);
  return Object.fromEntries(await Promise.all(entries));
}

/** The result of the last request of a session that consists of these. */
async function askLast(requests: readonly Request[]): Promise<string> {
  const input = new PassThrough();
  const output = new PassThrough();
  const transport = new StdioServerTransport(input, output);
  const connection = serveStdio(({ era }) => createMcpServer({ ...parts, era }), { transport });
  const lines = createInterface({ input: output });
  let answer: { result?: unknown; error?: unknown } = {};
  for (const [id, request] of requests.entries()) {
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...request })}\n`);
    const [line] = await once(lines, 'line');
    answer = JSON.parse(line);
  }
  await connection.close();
  if (answer.error) throw new Error(`the server refuses its own opening: ${JSON.stringify(answer.error)}`);
  return JSON.stringify(answer.result);
}

/** As over stdio without special settings; nothing of this is used by the answers. */
const parts = {
  bus: {} as Bus,
  version,
  identity: createFixedIdentity('build'),
  keepAlive: {} as KeepAlive,
  watcher: { set: async () => {}, close: () => {} } satisfies Watcher,
  log: (sentence: string) => {
    throw new Error(sentence);
  },
};
