import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  InMemoryServerEventBus,
  isJsonContentType,
  type McpHttpHandler,
  type McpRequestContext,
  type McpServerFactory,
} from '@modelcontextprotocol/server';
import { BusError, isRefusal } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import { type RawMessage, withPlainParams } from './arguments.ts';
import type { Log } from './call.ts';
import { createCancelling } from './cancelling.ts';
import { findIdProblem, refuseMessage, type StreamedAnswer, toStreamed } from './http-answers.ts';
import { listenTo, mayWait, readListenedUris } from './listening.ts';
import type { Watcher } from './watcher.ts';

/** A server is created for one request, in the protocol version of its client. */
type Asked = Readonly<{
  era: McpRequestContext['era'];
  headers: Headers;
  watcher: Watcher | undefined;
}>;

export type McpHttpOptions = Readonly<{
  createServer: (asked: Asked) => ReturnType<McpServerFactory>;
  /** Reads a body as JSON. Rejects with a refusal when it is too large or not JSON. */
  readBody: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;
  /**
   * Returns whose calls the request may cancel, if that is known. Throws a refusal for a request that should not get
   * a server.
   */
  admit?: (request: IncomingMessage) => string | undefined;
  /** Creates what reports changed resources. Without it, nobody hears of changes. */
  createWatcher?: (onUpdated: (uri: string) => void) => Watcher;
  log: Log;
}>;

export type McpHttp = Readonly<{
  /** Handles one request. Rejects with a `BusError` when the request is refused before it is read as a message. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Lets running calls finish for a moment, and ends those that would never end by themselves. */
  close(): Promise<void>;
}>;

const closeMillisecondsMax = 2_000;

/**
 * MCP over Streamable HTTP without sessions: every request gets a server of its own, so clients do not notice a
 * restart. This code does not know what the servers offer.
 */
export function createMcpHttp(options: McpHttpOptions): McpHttp {
  const { readBody, admit } = options;
  const running = new Set<Promise<void>>();
  const cancelling = createCancelling();
  const { serve, watcher, close } = createServing(options);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller = admit?.(request);
    acceptWhatIsAnswered(request);
    const message = request.method === 'POST' ? await readMessage(request, response) : undefined;
    if (response.writableEnded) return;
    const uris = readListenedUris(message);
    if (uris) {
      if (await isHeard(uris, message, response)) await serve.whole(request, toStreamed(response), message);
      return;
    }
    const { requestId } = message?.params ?? {};
    if (message?.method === 'notifications/cancelled') cancelling.cancel({ caller, requestId });
    const waits = mayWait(message);
    const answer = toStreamed(response, { waits });
    const done = cancelling.begin({ caller, requestId: message?.id }, answer.cancel);
    const served = serve[waits ? 'streamed' : 'whole'](request, answer, message);
    running.add(served);
    await served.finally(() => {
      running.delete(served);
      done();
    });
  }

  async function readMessage(request: IncomingMessage, response: ServerResponse): Promise<RawMessage> {
    if (!isJsonContentType(request.headers['content-type'])) throw wrongType();
    try {
      const body = await readBody(request, response);
      const problem = Array.isArray(body) ? batchRefusal : findIdProblem(body);
      if (!problem) return withPlainParams(body as RawMessage);
      refuseMessage(response, problem);
    } catch (error) {
      if (!isRefusal(error, 'invalid_input')) throw error;
      refuseMessage(response, { code: -32700, message: `Parse error: ${error.detail}` });
    }
    return {};
  }

  /** Subscribes the stream of this response to the resources for as long as it is open, or refuses the request. */
  async function isHeard(
    uris: readonly string[],
    message: RawMessage | undefined,
    response: ServerResponse,
  ): Promise<boolean> {
    if (!watcher) return true;
    response.once('close', () => void watcher.set(response, []));
    const refusal = await listenTo(watcher, response, uris);
    if (response.destroyed) return false;
    if (refusal) refuseMessage(response, refusal, { status: 200, id: message?.id });
    return !refusal;
  }

  return {
    handle,
    async close() {
      await Promise.race([
        Promise.allSettled(running),
        pause(closeMillisecondsMax, undefined, { ref: false }),
      ]);
      await close();
    },
  };
}

/**
 * The library's own handling of both protocol generations: once with whole responses where possible, and once always
 * as a stream.
 */
function createServing({ createServer, createWatcher, log }: McpHttpOptions) {
  const events = new InMemoryServerEventBus();
  const watcher = createWatcher?.((uri) => events.publish({ kind: 'resource_updated', uri }));
  // The library reports every failure to one function; this store tells which request it belongs to.
  const current = new AsyncLocalStorage<{ problem?: unknown }>();
  const shared = {
    bus: events,
    maxSubscriptions: limits.mcpSubscribersMax,
    onerror: (problem: Error) => {
      const request = current.getStore();
      if (request) request.problem = problem;
    },
  };
  const factory: McpServerFactory = ({ era, requestInfo }) =>
    createServer({ era, headers: requestInfo?.headers ?? new Headers(), watcher });
  const handlers = {
    whole: createMcpHandler(factory, shared),
    // Clients give up on a call that stays silent. A stream can begin before the result is known.
    streamed: createMcpHandler(factory, { ...shared, responseMode: 'sse' }),
  };

  function toServe(handler: McpHttpHandler) {
    const serve = toNodeHandler(handler);
    return async (request: IncomingMessage, answer: StreamedAnswer, message: RawMessage | undefined) => {
      const own: { problem?: unknown } = {};
      await current.run(own, () => serve(request, answer, message));
      if (answer.status() >= 500) log('a request to the MCP server failed', own.problem);
    };
  }

  async function close(): Promise<void> {
    watcher?.close();
    await Promise.all([handlers.whole.close(), handlers.streamed.close()]);
  }

  return {
    serve: { whole: toServe(handlers.whole), streamed: toServe(handlers.streamed) },
    watcher,
    close,
  };
}

/** The library looks for both media types by name. A client that accepts anything accepts both. */
function acceptWhatIsAnswered({ headers }: IncomingMessage): void {
  const { accept } = headers;
  if (accept === undefined || /(^|,)\s*\*\/\*\s*(;|,|$)/.test(accept.slice(0, 1_000)))
    headers.accept = 'application/json, text/event-stream';
}

const batchRefusal = { code: -32600, message: 'batches are not taken: send each message by itself' };

function wrongType(): BusError {
  const detail = 'the content type must be application/json: send one JSON-RPC message as the body';
  return new BusError({ status: 415, code: 'invalid_input', detail });
}
