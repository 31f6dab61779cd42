import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the model does next: it calls a tool, or says something and ends its turn. */
type Step = Readonly<{ tool: string; input: unknown; namespace?: string }> | Readonly<{ text: string }>;

/** A step may need what the client sent before it, such as the name of a tool that it found. */
export type Script = readonly (Step | ((request: Request) => Step))[];

/** What a client sent to its model: the honest measure of what a tool, a result or a line of news costs. */
export type Request = Readonly<{ path: string; body: Record<string, unknown>; text: string }>;

export type ScriptedModel = Readonly<{
  url: string;
  /** Those of the session itself, without the calls that a client makes on the side. */
  requests: readonly Request[];
  isDone: () => boolean;
  close: () => Promise<void>;
}>;

/**
 * A model that follows a script, on loopback: it answers the Messages API of Claude Code and the Responses API of Codex.
 * The clients are real, and so are their hooks, their MCP servers and their edits.
 */
export async function startModel(script: Script): Promise<ScriptedModel> {
  const requests: Request[] = [];
  let place = 0;
  const server = createServer(async (incoming, response) => {
    const text = await readAll(incoming);
    const request = { path: incoming.url ?? '', body: toBody(text), text };
    const isOwn = incoming.method === 'POST' && isOfSession(request);
    const step = isOwn ? script[place] : undefined;
    if (isOwn) {
      requests.push(request);
      place += 1;
    }
    const next = typeof step === 'function' ? step(request) : (step ?? { text: 'ok' });
    if (request.path.startsWith('/v1/messages')) answerMessages(request, response, next);
    else if (request.path.startsWith('/v1/responses')) answerResponses(response, next, place);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, requests, isDone: () => place >= script.length, close };
}

/** Clients ask for titles and the like on the side, with no tools or only a few of their own. */
function isOfSession({ path, body }: Request): boolean {
  if (path.startsWith('/v1/responses')) return true;
  const tools = Array.isArray(body.tools) ? (body.tools as readonly Record<string, unknown>[]) : [];
  return path.split('?')[0] === '/v1/messages' && tools.some(({ name }) => name === 'Bash');
}

function answerMessages({ body, path }: Request, response: ServerResponse, step: Step): void {
  if (path.includes('count_tokens')) {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":1}');
    return;
  }
  const block =
    'tool' in step
      ? { type: 'tool_use', id: toId('toolu'), name: step.tool, input: {} }
      : { type: 'text', text: '' };
  const delta =
    'tool' in step
      ? { type: 'input_json_delta', partial_json: JSON.stringify(step.input) }
      : { type: 'text_delta', text: step.text };
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = {
    id: toId('msg'),
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [],
    usage,
    stop_reason: null,
    stop_sequence: null,
  };
  const stopReason = 'tool' in step ? 'tool_use' : 'end_turn';
  sendEvents(response, [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage },
    { type: 'message_stop' },
  ]);
}

function answerResponses(response: ServerResponse, step: Step, place: number): void {
  const id = `resp_${place}`;
  const item =
    'tool' in step
      ? {
          type: 'function_call',
          id: `fc_${place}`,
          call_id: `call_${place}`,
          name: step.tool,
          ...(step.namespace !== undefined && { namespace: step.namespace }),
          arguments: JSON.stringify(step.input),
        }
      : {
          type: 'message',
          id: `msg_${place}`,
          role: 'assistant',
          content: [{ type: 'output_text', text: step.text }],
        };
  const usage = {
    input_tokens: 1,
    output_tokens: 1,
    total_tokens: 2,
    input_tokens_details: null,
    output_tokens_details: null,
  };
  sendEvents(response, [
    { type: 'response.created', response: { id } },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { id, usage } },
  ]);
}

function sendEvents(
  response: ServerResponse,
  events: readonly (Readonly<{ type: string }> & Readonly<Record<string, unknown>>)[],
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}

let ids = 0;

function toId(prefix: string): string {
  ids += 1;
  return `${prefix}_${ids}`;
}

function toBody(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
