import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { NodeServerResponseLike } from '@modelcontextprotocol/node';
import { limits } from '../contract/limits.ts';

/** Why a message is refused, in JSON-RPC terms. */
export type RpcProblem = Readonly<{ code: number; message: string; data?: unknown }>;

/** Refuses a message the JSON-RPC way and ends the request. */
export function refuseMessage(
  response: ServerResponse,
  { code, message, data }: RpcProblem,
  { status = 400, id = null }: Readonly<{ status?: number; id?: unknown }> = {},
): void {
  response.writeHead(status, { ...guardHeaders, 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message, data }, id }));
}

/**
 * Says what is wrong with the id of a request. An id must come back exactly as it was sent, but numbers beyond 2^53
 * are rounded when they are read. Null, fractions and other values are not valid ids in MCP.
 */
export function findIdProblem(message: unknown): RpcProblem | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message)) return undefined;
  const { id } = message;
  if (typeof id === 'string' || Number.isSafeInteger(id)) return undefined;
  return { code: -32600, message: 'Invalid Request: the id must be a string or a whole number below 2^53' };
}

/** A response object for the library to write to. */
export type StreamedAnswer = NodeServerResponseLike &
  Readonly<{
    /** Ends the call as if the client had disconnected, and ends the stream. */
    cancel: () => void;
    status: () => number;
  }>;

/**
 * Disconnects a reader that takes nothing for too long. The stream of a waiting call starts at once, so that the
 * client sees it before there is any content.
 */
export function toStreamed(
  response: ServerResponse,
  { waits = false }: Readonly<{ waits?: boolean }> = {},
): StreamedAnswer {
  const limitStall = createStallLimit(response);
  const cancelled = new EventEmitter();
  return {
    writeHead(status, headers = {}) {
      response.writeHead(status, { ...guardHeaders, ...headers });
      if (waits) response.flushHeaders();
    },
    write(chunk) {
      const isTaken = response.write(chunk);
      if (!isTaken) limitStall();
      return isTaken;
    },
    end: (chunk) => response.end(chunk),
    on(event, listener) {
      if (event === 'close') cancelled.once(event, listener);
      return response.on(event, listener);
    },
    get destroyed() {
      return response.destroyed;
    },
    cancel() {
      cancelled.emit('close');
      if (response.headersSent) response.end();
    },
    status: () => response.statusCode,
  };
}

const guardHeaders = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };

function createStallLimit(response: ServerResponse): () => void {
  let timer: NodeJS.Timeout | undefined;
  const calm = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  response.on('drain', calm).once('close', calm);
  return () => {
    timer ??= setTimeout(() => response.destroy(), limits.stalledReaderSecondsMax * 1000);
  };
}
