import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { type Bus, contract, type OperationName } from '../../../src/contract/contract.ts';
import { BusError, BusUnreachableError, toBusError } from '../../../src/contract/errors.ts';
import { toSnakeCase } from '../../../src/contract/names.ts';
import { commandFile } from '../../build.ts';
import { type CallParts, type Door, offeredAt, toBus } from './door.ts';
import { listen } from './http.ts';
import { repository, toUnqualified } from './unqualified.ts';

/** The command as it ships, spoken to by the client library that people's programs use, before a bus over HTTP. */
export const mcpDoor: Door = {
  name: 'MCP over stdio',
  offers: offeredAt('mcp', ['signal', 'typedValues']),
  async open(bus) {
    // That a session joins is no part of what the rules are about, and an older bus knows nothing of it.
    const { baseUrl, close } = await listen(toUnqualified({ ...bus, joinAgent: refuseRoute }));
    const clients = new Map<string, Promise<Client>>();
    // One owner is one session: a session is told when it holds under another of its own ids what it asks for.
    const clientOf = (owner: string) => {
      const client = clients.get(owner) ?? connect(baseUrl);
      clients.set(owner, client);
      return client;
    };
    const tools = toBus(async (name, input, call) => {
      const { owner, sender } = input as Readonly<{ owner?: unknown; sender?: unknown }>;
      const client = await clientOf(String(owner ?? sender ?? ''));
      return callTool(client, name, input, call);
    });
    return {
      bus: tools,
      async close() {
        for (const client of clients.values()) await (await client).close();
        await close();
      },
    };
  },
};

const refuseRoute = async () => {
  throw toBusError('not_found', 'there is no such route', {});
};

async function connect(baseUrl: string): Promise<Client> {
  const client = new Client({ name: 'suite', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [commandFile],
      env: { PATH: process.env.PATH ?? '', BUS_MCP_BASE_URL: baseUrl, BUS_MCP_REPOSITORY: repository },
    }),
  );
  // From here on the client holds every result against the output schema of its tool.
  await client.listTools();
  return client;
}

/** A bus whose operations are the tools that the client can call. */
export async function toToolBus(client: Client): Promise<Bus> {
  // From here on the client holds every result against the output schema of its tool.
  await client.listTools();
  return toBus((name, input, call) => callTool(client, name, input, call));
}

async function callTool(
  client: Client,
  name: OperationName,
  input: object,
  { signal }: CallParts,
): Promise<object> {
  const tool = { name: toSnakeCase(name), arguments: { ...input } };
  const { structuredContent, content } = await client.callTool(tool, signal && { signal });
  const [block] = content as unknown as [{ text: string }];
  if (JSON.stringify(JSON.parse(block.text)) !== JSON.stringify(structuredContent)) {
    throw new Error(`the text and the object differ: ${block.text}`);
  }
  const answer = toAnswer(structuredContent as ToolResult, 'ok' in contract[name].output.shape);
  return name === 'postMessage' ? readPosted(client, answer as { id: number }) : answer;
}

/** The tool answers a post with its id: what was posted, the caller knows. */
async function readPosted(client: Client, { id }: { id: number }): Promise<object> {
  const asked = { name: 'read_messages', arguments: { since_id: id - 1, limit: 1 } };
  const { structuredContent } = await client.callTool(asked);
  return (structuredContent as { messages: readonly object[] }).messages[0] ?? {};
}

type ToolResult = Readonly<{ ok: boolean; error?: ToolError; note?: string }> &
  Readonly<Record<string, unknown>>;
type ToolError = Readonly<{
  type: string;
  message: string;
  tool: string;
  status_code?: number;
  code?: string;
  data?: Readonly<Record<string, unknown>>;
  issues?: readonly unknown[];
  url?: string;
}>;

/** What the bus answered, without what this door adds for agents. */
function toAnswer(
  { ok, error, note: _note, you: _you, ...answer }: ToolResult,
  bringsOwnOk: boolean,
): object {
  if (!ok) throw toError(error as ToolError);
  return bringsOwnOk ? { ok, ...answer } : answer;
}

function toError({ type, message, tool, status_code = 0, code, data, issues, url = '' }: ToolError): Error {
  const prefix = `[${tool}] `;
  if (!message.startsWith(prefix)) return new Error(`the message does not begin with the tool: ${message}`);
  const detail = message.slice(prefix.length);
  if (type === 'bus_unreachable') return new BusUnreachableError(detail, url);
  if (type === 'invalid_arguments') {
    return new BusError({ status: 422, detail, code: 'invalid_input', data: { issues } });
  }
  return new BusError({ status: status_code, detail, code, data });
}
