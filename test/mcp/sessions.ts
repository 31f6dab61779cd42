import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import {
  Client as ClientOfV2,
  StreamableHTTPClientTransport as HttpTransportOfV2,
} from '@modelcontextprotocol/client';
import { Client as ClientOfV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpTransportOfV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { createFixedIdentity } from '../../src/mcp/identity.ts';
import { createMcpServer, type McpServerOptions } from '../../src/mcp/server.ts';
import { type StdioOptions, serveMcpOverStdio } from '../../src/mcp/stdio/entry.ts';

/** The clients that people's programs are built with, each in each protocol era that it speaks. */
export const clientKinds = ['SDK v1', 'SDK v2 in the era of 2025', 'SDK v2 in the era of 2026'] as const;
export type ClientKind = (typeof clientKinds)[number];

type CallOptions = Readonly<{
  signal?: AbortSignal;
  onprogress?: (progress: Readonly<{ progress: number; total?: number; message?: string }>) => void;
}>;

/** Whom the server takes all its callers for. */
type Named = Readonly<{ agentId: string }>;

type Notification = Readonly<{ method: string; params?: unknown }>;

export type Session = Readonly<{
  tools: readonly Tool[];
  instructions: string | undefined;
  protocolVersion: string | undefined;
  capabilities: Readonly<Record<string, unknown>>;
  /** Everything that the server told by itself. */
  notified: readonly Notification[];
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of the answer.
  ask(method: string, params?: Readonly<Record<string, unknown>>): Promise<any>;
  /** In the way of the era; answers how to have done with it. */
  subscribe(uri: string): Promise<() => Promise<unknown>>;
  /** Several at once, as only clients of the later era can. */
  listen(uris: readonly string[]): Promise<() => Promise<unknown>>;
  call(
    name: string,
    given?: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<CallToolResult>;
  close(): Promise<void>;
}>;

/** A server in this process, spoken to through bytes, so that a line that is no protocol breaks the session. */
export async function openSession(
  kind: ClientKind,
  options: Pick<McpServerOptions, 'bus'> & Partial<McpServerOptions & Named>,
): Promise<Session> {
  const input = new PassThrough();
  const output = new PassThrough();
  const serverOptions = {
    version: '1.2.3',
    identity: createFixedIdentity(options.agentId ?? 'session:test'),
    log: () => {},
    ...options,
  };
  serveStdio(() => createMcpServer(serverOptions), { transport: new StdioServerTransport(input, output) });
  return connectClient(kind, createLineTransport(output, input));
}

/** The whole of what serves a connection, in this process; `ended` resolves when it has come to its end. */
export async function openStdioSession(
  kind: ClientKind,
  options: Pick<McpServerOptions, 'bus'> & Partial<StdioOptions & Named>,
): Promise<Session & Readonly<{ ended: Promise<void> }>> {
  const input = new PassThrough();
  const output = new PassThrough();
  const serverOptions = {
    version: '1.2.3',
    identity: createFixedIdentity(options.agentId ?? 'session:test'),
    log: () => {},
    ...options,
  };
  const ended = serveMcpOverStdio({ ...serverOptions, input, output });
  const session = await connectClient(kind, createLineTransport(output, input));
  return { ...session, ended };
}

/** A client of a server over HTTP, which sends these headers with every request. */
export function openHttpSession(
  kind: ClientKind,
  url: string,
  headers: Record<string, string> = {},
): Promise<Session> {
  const Transport = kind === 'SDK v1' ? HttpTransportOfV1 : HttpTransportOfV2;
  return connectClient(kind, new Transport(new URL(url), { requestInit: { headers } }));
}

/** Connects, and lists the tools: from then on the client holds every result against the output schema. */
export async function connectClient(kind: ClientKind, transport: unknown): Promise<Session> {
  return kind === 'SDK v1' ? connectV1(transport) : connectV2(transport, kind.endsWith('2026'));
}

async function connectV1(transport: unknown): Promise<Session> {
  const client = new ClientOfV1({ name: 'v1', version: '1' });
  const notified = collectNotifications(client);
  let protocolVersion: string | undefined;
  const { setProtocolVersion } = transport as { setProtocolVersion?: (version: string) => void };
  Object.assign(transport as object, {
    setProtocolVersion(version: string) {
      protocolVersion = version;
      setProtocolVersion?.call(transport, version);
    },
  });
  await client.connect(transport as never);
  const { tools } = await client.listTools();
  return {
    tools: tools as Tool[],
    instructions: client.getInstructions(),
    protocolVersion,
    capabilities: client.getServerCapabilities() ?? {},
    notified,
    ask: (method, params) => client.request({ method, params } as never, z.looseObject({})),
    async subscribe(uri) {
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    listen: () => Promise.reject(new Error('this client cannot listen')),
    call: (name, given, options) =>
      client.callTool({ name, arguments: given }, undefined, options) as Promise<CallToolResult>,
    close: () => client.close(),
  };
}

async function connectV2(transport: unknown, isModern: boolean): Promise<Session> {
  const mode = isModern ? { pin: '2026-07-28' } : 'legacy';
  const client = new ClientOfV2({ name: 'v2', version: '1' }, { versionNegotiation: { mode } });
  const notified = collectNotifications(client);
  await client.connect(transport as never);
  const { tools } = await client.listTools();
  const listen = async (uris: readonly string[]) => {
    const { close } = await client.listen({ resourceSubscriptions: [...uris] });
    return () => close();
  };
  return {
    tools,
    instructions: client.getInstructions(),
    protocolVersion: client.getNegotiatedProtocolVersion(),
    capabilities: client.getServerCapabilities() ?? {},
    notified,
    ask: (method, params) => client.request({ method, params } as never),
    async subscribe(uri) {
      if (isModern) return listen([uri]);
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    listen,
    call: (name, given, options) => client.callTool({ name, arguments: given }, options),
    close: () => client.close(),
  };
}

function collectNotifications(client: ClientOfV1 | ClientOfV2): Notification[] {
  const notified: Notification[] = [];
  client.fallbackNotificationHandler = async (notification: Notification) => {
    notified.push(notification);
  };
  return notified;
}

function createLineTransport(readable: Readable, writable: Writable) {
  const transport = {
    onmessage: undefined as ((message: unknown) => void) | undefined,
    onclose: undefined as (() => void) | undefined,
    async start() {
      createInterface({ input: readable }).on('line', (line) => transport.onmessage?.(JSON.parse(line)));
    },
    async send(message: unknown) {
      if (!writable.write(`${JSON.stringify(message)}\n`)) await once(writable, 'drain');
    },
    async close() {
      writable.end();
      transport.onclose?.();
    },
  };
  return transport;
}
