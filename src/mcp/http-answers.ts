import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { NodeServerResponseLike } from '@modelcontextprotocol/node';
import { limits } from '../contract/limits.ts';

/** Why a message is refused, as JSON-RPC says it. */
export type RpcProblem = Readonly<{ code: number; message: string; data?: unknown }>;

/** Refuses a message in the way of JSON-RPC; the request is over then. */
export function refuseMessage(
  response: ServerResponse,
  { code, message, data }: RpcProblem,
  { status = 400, id = null }: Readonly<{ status?: number; id?: unknown }> = {},
): void {
  response.writeHead(status, { ...guardHeaders, 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message, data }, id }));
}

/** A response for the library to write to. */
export type StreamedAnswer = NodeServerResponseLike &
  Readonly<{
    /** Has the call ended as if the client had gone, and ends the stream. */
    cancel: () => void;
    status: () => number;
  }>;

/**
 * A reader who takes nothing for too long is cut off. The stream of a call that waits is seen to begin at once, before
 * there is anything in it.
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
