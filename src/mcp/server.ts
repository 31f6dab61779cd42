import {
  type JsonSchemaValidator,
  type jsonSchemaValidator,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Bus } from '../contract/contract.ts';
import { faultOf } from './arguments.ts';
import { toBrief } from './brief.ts';
import { callTool, type Log, type ToolCaller } from './call.ts';
import { channelCapability, openChannel, toChannelInstructions } from './channel.ts';
import { complete } from './completion.ts';
import { callGuard, type Guard, guardToolName } from './guard.ts';
import type { Identity } from './identity.ts';
import { toInstructions } from './instructions.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { ProgressReport } from './progress.ts';
import { getPrompt, prompts } from './prompts.ts';
import { readResource, resources, resourceTemplates } from './resources.ts';
import { toInvalidArguments, toNotOffered } from './results.ts';
import { serveSubscriptions } from './subscriptions.ts';
import { type McpTool, namesOf, selectTools, type ToolSelection, tools } from './tools.ts';
import type { Watcher } from './watcher.ts';

export type McpServerOptions = Readonly<{
  bus: Bus;
  version: string;
  /** Who calls when a call does not say it; without it every call must. */
  identity: Identity | undefined;
  /** Which protocol the client speaks: up to 2025-11-25, or from 2026-07-28 on. */
  era?: 'legacy' | 'modern';
  /** Offers only tools that change nothing. */
  readOnly?: boolean | undefined;
  /** Offers only these tools. Unknown names are refused. */
  toolNames?: readonly string[] | undefined;
  /** Renews leases for the agent. Without it `keep_alive` is not offered. */
  keepAlive?: KeepAlive | undefined;
  /** Makes scopes of the paths of a call; absent where nothing is known that they could be relative to. */
  toScopes?: ToolCaller['toScopes'];
  /** Answers the client's own hook before an edit; such a tool is not listed. */
  guard?: Guard | undefined;
  /** Tells of changed resources; without it subscriptions are not offered. */
  watcher?: Watcher | undefined;
  /** Pushes posts to these topics to clients that support it. */
  channelTopics?: readonly string[] | undefined;
  log: Log;
  progressIntervalMilliseconds?: number | undefined;
}>;

const progressIntervalMillisecondsDefault = 15_000;

/** The bus as an MCP server, for one connection or one request. It does not call the bus before it is asked to. */
export function createMcpServer(options: McpServerOptions): Server {
  const { bus, identity, era = 'legacy', watcher, log } = options;
  const channelTopics = era === 'legacy' ? (options.channelTopics ?? []) : [];
  const server = new Server(
    { name: 'bus-mcp', title: 'Coordination bus', version: options.version },
    {
      capabilities: {
        tools: {},
        resources: watcher ? { subscribe: true } : {},
        prompts: {},
        completions: {},
        // Later clients no longer accept logs from servers.
        ...(era === 'legacy' && { logging: {} }),
        ...(channelTopics.length > 0 && { experimental: channelCapability }),
      },
      instructions: toAllInstructions(options, channelTopics),
      jsonSchemaValidator: neverAsks,
      cacheHints,
    },
  );
  serveTools(server, options);
  serveResources(server, bus);
  if (watcher && era === 'legacy') serveSubscriptions(server, watcher);
  const isOwn = (sender: string) => identity?.isOwn(sender) ?? false;
  if (channelTopics.length > 0) openChannel(server, { bus, topics: channelTopics, isOwn, log });
  return server;
}

/** The lists stay the same while this server runs, but another version may follow it. */
const listHint = { ttlMs: 300_000, cacheScope: 'private' } as const;
const cacheHints = {
  'server/discover': listHint,
  'tools/list': listHint,
  'prompts/list': listHint,
  'resources/list': listHint,
  'resources/templates/list': listHint,
} as const;

/** Checks what users type when a server asks them something. This server never asks. */
const neverAsks: jsonSchemaValidator = {
  getValidator: <T>(): JsonSchemaValidator<T> => {
    return (input) => ({ valid: true, data: input as T, errorMessage: undefined });
  },
};

function toAllInstructions({ keepAlive }: McpServerOptions, channelTopics: readonly string[]): string {
  const instructions = toInstructions({ keepsAlive: keepAlive !== undefined });
  return channelTopics.length > 0 ? `${instructions}\n${toChannelInstructions(channelTopics)}` : instructions;
}

function serveTools(server: Server, options: McpServerOptions): void {
  const { guard, identity, keepAlive, log, toScopes } = options;
  const bus = toBrief(options.bus);
  const progressIntervalMilliseconds =
    options.progressIntervalMilliseconds ?? progressIntervalMillisecondsDefault;
  const offered = selectTools({
    ...options,
    keepsAlive: keepAlive !== undefined,
    knowsAgent: identity !== undefined,
  });
  const listed = { tools: offered.map((tool) => tool.declaration) };
  server.setRequestHandler('tools/list', () => listed);
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const origin = { meta: context.mcpReq._meta, clientName: toClientName(server, context) };
    if (params.name === guardToolName && guard)
      return callGuard(guard, params.arguments ?? {}, { bus, identity, keepAlive, origin });
    const tool = offered.find(({ name }) => name === params.name);
    if (!tool) return toNotOffered(params.name, whyNotOffered(params.name, offered, options));
    const fault = faultOf(params.arguments);
    if (fault) return toInvalidArguments(tool.name, [fault], {});
    const { signal } = context.mcpReq;
    const told = logToBoth(log, context);
    const caller = { bus, identity, keepAlive, toScopes, progressIntervalMilliseconds, log: told };
    const report = toProgressReport(context);
    return callTool(caller, { tool, given: params.arguments ?? {}, signal, report, origin });
  });
}

function serveResources(server: Server, bus: Bus): void {
  server.setRequestHandler('resources/list', () => ({ resources: [...resources] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [...resourceTemplates] }));
  server.setRequestHandler('resources/read', ({ params }, { mcpReq: { signal } }) =>
    readResource(bus, params.uri, { signal }),
  );
  server.setRequestHandler('prompts/list', () => ({ prompts: [...prompts] }));
  server.setRequestHandler('prompts/get', ({ params }) => getPrompt(params.name, params.arguments));
  server.setRequestHandler('completion/complete', ({ params }, { mcpReq: { signal } }) =>
    complete(bus, params, { signal }),
  );
}

/**
 * Says why a tool was left out, so that a model can pass it on to whoever set up this server.
 *
 * A name that no tool has is a protocol error, as the specification requires.
 */
function whyNotOffered(name: string, offered: readonly McpTool[], { readOnly }: ToolSelection): string {
  const tool = tools.find((candidate) => candidate.name === name);
  if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`);
  const reason =
    readOnly && tool.operation.effect !== 'read'
      ? 'this server is read-only'
      : 'this server was started with a choice of tools that leaves it out';
  return `${name} is not offered: ${reason}. Offered: ${namesOf(offered)}`;
}

/** Clients of the era of 2026 name themselves in every request, those before only when they open the session. */
function toClientName(server: Server, { mcpReq }: ServerContext): string | undefined {
  const envelope = (mcpReq as { envelope?: Readonly<Record<string, unknown>> }).envelope;
  const given = envelope?.['io.modelcontextprotocol/clientInfo'] as { name?: unknown } | undefined;
  return typeof given?.name === 'string' ? given.name : server.getClientVersion()?.name;
}

/** The client learns that something went wrong here, but not why. */
function logToBoth(log: Log, { mcpReq }: ServerContext): Log {
  return (sentence, cause) => {
    log(sentence, cause);
    mcpReq.log('error', sentence).catch(() => {});
  };
}

/** Undefined unless the client gave a token for progress reports. */
function toProgressReport({ mcpReq }: ServerContext): ProgressReport | undefined {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress) =>
    mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...progress } });
}
