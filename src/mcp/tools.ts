import type { Tool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { contract, type OperationName, operationsAt } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { toSnakeCase } from '../contract/names.ts';
import type { Effect, Operation } from '../contract/operation.ts';

/** An operation as an MCP tool: what a client is told, and what a call is checked against. */
export type McpTool = Readonly<{
  name: string;
  operationName: OperationName;
  operation: Operation;
  /** The operation's input, plus the arguments that only the MCP server knows. */
  input: z.ZodObject;
  declaration: Tool;
}>;

export type ToolSelection = Readonly<{
  readOnly?: boolean | undefined;
  toolNames?: readonly string[] | undefined;
  /** Whether this server can renew leases for its agent. Only then is `keep_alive` offered. */
  keepsAlive?: boolean | undefined;
  /** Whether this server knows who calls. If not, each call that acts must say who it is. */
  knowsAgent?: boolean | undefined;
}>;

/**
 * All tools, in the order of the contract.
 *
 * Built once per process: a server may be created for each request, and building the schemas costs more than the
 * call.
 */
export const tools: readonly McpTool[] = toTools({ knowsAgent: true });

const toolsForStrangers = toTools({ knowsAgent: false });

/** The tools that a server with these settings offers. Refuses unknown names. */
export function selectTools(selection: ToolSelection): readonly McpTool[] {
  const unknown = selection.toolNames?.filter((name) => !tools.some((tool) => tool.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no such tool: ${unknown.join(', ')}; choose from ${namesOf(tools)}`);
  }
  const permitted = (selection.knowsAgent === false ? toolsForStrangers : tools).filter(
    (tool) => !selection.readOnly || tool.operation.effect === 'read',
  );
  const chosen = permitted.filter((tool) => selection.toolNames?.includes(tool.name) ?? true);
  if (chosen.length === 0) {
    const names = selection.toolNames?.join(', ');
    throw new Error(`a read-only server offers none of ${names}; choose from ${namesOf(permitted)}`);
  }
  return chosen.map((tool) =>
    selection.keepsAlive && tool.name === claimLaneKeptAlive.name ? claimLaneKeptAlive : tool,
  );
}

export function namesOf(list: readonly McpTool[]): string {
  return list.map((tool) => tool.name).join(', ');
}

const claimLaneKeptAlive = toTool({
  operationName: 'claimLane',
  operation: contract.claimLane,
  input: contract.claimLane.input.extend({
    keep_alive: z
      .boolean()
      .default(false)
      .describe(
        `This server renews the lease until release or the end of the session: no heartbeat_lane needed. lease_s left out is ${limits.keptLeaseSecondsDefault} then`,
      ),
  }),
  knowsAgent: true,
});

function toTools({ knowsAgent }: Readonly<{ knowsAgent: boolean }>): readonly McpTool[] {
  return operationsAt('mcp').map(([operationName, operation]) =>
    toTool({ operationName, operation, input: operation.input, knowsAgent }),
  );
}

type ToolParts = Readonly<{
  operationName: OperationName;
  operation: Operation;
  input: z.ZodObject;
  knowsAgent: boolean;
}>;

function toTool({ operationName, operation, input, knowsAgent }: ToolParts): McpTool {
  const name = toSnakeCase(operationName);
  const declaration = {
    name,
    title: operation.title,
    description: `${operation.summary}. ${operation.guidance}`,
    inputSchema: toInputSchema(input, {
      filled: knowsAgent ? operation.agentField : undefined,
      unsaid: operation.readerField,
    }),
    outputSchema: toOutputSchema(operation),
    annotations: toHints(operation.effect),
  };
  return { name, operationName, operation, input, declaration };
}

/**
 * No tool destroys anything: a claimed lane becomes free again, and a posted message stays. The bus is also a closed
 * world.
 */
function toHints(effect: Effect): Tool['annotations'] {
  return {
    readOnlyHint: effect === 'read',
    destructiveHint: false,
    idempotentHint: effect !== 'append',
    openWorldHint: false,
  };
}

/** `filled`: the field that this server fills in. `unsaid`: the one that it fills in without a word to the agent. */
function toInputSchema(
  input: z.ZodObject,
  { filled, unsaid }: Readonly<{ filled: string | undefined; unsaid: string | undefined }>,
): Tool['inputSchema'] {
  const { properties = {}, required = [] } = z.toJSONSchema(input, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  if (unsaid) delete properties[unsaid];
  const agent = filled ? properties[filled] : undefined;
  if (typeof agent === 'object') agent.description = `${agent.description}; left out: the id of this session`;
  const demanded = required.filter((field) => field !== filled);
  return {
    type: 'object',
    properties: properties as Tool['inputSchema']['properties'],
    ...(demanded.length > 0 && { required: demanded }),
    additionalProperties: false,
  };
}

/**
 * Names the fields of a result, but leaves their types open.
 *
 * Clients check every result against this schema, failures too. The bus may be older or newer than the contract, and
 * such a difference must not turn a successful call into an error in the client.
 */
function toOutputSchema(operation: Operation): Tool['outputSchema'] {
  const { ok: _, ...answer } = operation.output.shape;
  return {
    type: 'object',
    description: `ok, and ${Object.keys(answer).join(', ')}; or error`,
    properties: { ok: { type: 'boolean' } },
    required: ['ok'],
  };
}
