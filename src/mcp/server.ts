import { ProtocolError, ProtocolErrorCode, Server, type ServerContext } from '@modelcontextprotocol/server';
import type { Bus } from '../contract/contract.ts';
import { callTool, type Log } from './call.ts';
import { instructions } from './instructions.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { ProgressReport } from './progress.ts';
import { toNotOffered } from './results.ts';
import { type McpTool, namesOf, selectTools, type ToolSelection, tools } from './tools.ts';

export type McpServerOptions = Readonly<{
  bus: Bus;
  version: string;
  /** Who calls when a call does not say it. */
  agentId: string;
  /** Offers only the tools that change nothing. */
  readOnly?: boolean | undefined;
  /** Offers only these tools; names that no tool has are refused. */
  toolNames?: readonly string[] | undefined;
  /** Renews leases for the agent; without it `keep_alive` is not offered. */
  keepAlive?: KeepAlive | undefined;
  log: Log;
  progressIntervalMilliseconds?: number | undefined;
}>;

const progressIntervalMillisecondsDefault = 15_000;

/** The tools over a bus, for one connection of either protocol era. Does not touch the bus before a tool is called. */
export function createMcpServer(options: McpServerOptions): Server {
  const { bus, agentId, keepAlive, log } = options;
  const progressIntervalMilliseconds =
    options.progressIntervalMilliseconds ?? progressIntervalMillisecondsDefault;
  const caller = { bus, agentId, keepAlive, log, progressIntervalMilliseconds };
  const offered = selectTools({ ...options, keepsAlive: keepAlive !== undefined });
  const listed = { tools: offered.map((tool) => tool.declaration) };

  const server = new Server(
    { name: 'bus-mcp', title: 'Coordination bus', version: options.version },
    { capabilities: { tools: {} }, instructions },
  );
  server.setRequestHandler('tools/list', () => listed);
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const tool = offered.find(({ name }) => name === params.name);
    if (!tool) return toNotOffered(params.name, whyNotOffered(params.name, offered, options));
    const report = toProgressReport(context);
    return callTool(caller, { tool, given: params.arguments ?? {}, signal: context.mcpReq.signal, report });
  });
  return server;
}

/**
 * Says why a tool was left out: to whoever set up this server that is news which a model can pass on.
 *
 * A name that no tool has at all is the protocol's own error, as the specification asks.
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

/** Undefined unless the client gave a token to report under. */
function toProgressReport({ mcpReq }: ServerContext): ProgressReport | undefined {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress) =>
    mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...progress } });
}
