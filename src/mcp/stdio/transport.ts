import { isUtf8 } from 'node:buffer';
import type { Readable, Writable } from 'node:stream';
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/server';
import { withoutByteOrderMark } from '../../contract/byte-order-mark.ts';
import { toVisibleJson } from '../../contract/hidden.ts';
import { parseJson } from '../../contract/json.ts';
import { withPlainParams } from '../arguments.ts';
import type { Log } from '../call.ts';
import type { RpcProblem } from '../http-answers.ts';
import { createBatches } from './batches.ts';
import { createLineReader } from './lines.ts';

export type StdioTransportOptions = Readonly<{ input: Readable; output: Writable; log: Log }>;

/**
 * JSON-RPC with one message per line. Every request gets a response: what the library would silently drop is refused
 * here, with the request's id wherever one can be found.
 */
export function createStdioTransport({ input, output, log }: StdioTransportOptions): Transport {
  const readLines = createLineReader({ onLine: receive, onTooLong: refuseTooLong });
  const batches = createBatches((answers) => write(JSON.stringify(answers)));
  let isClosed = false;

  function receive(line: Buffer): void {
    const text = line.toString('utf8');
    const json = isUtf8(line) ? parseJson(text) : { fault: 'is not UTF-8' };
    if ('fault' in json) refuse(text, { code: -32700, message: `Parse error: the line ${json.fault}` });
    else if (!Array.isArray(json.value)) receiveOne(json.value, text);
    else if (json.value.length === 0) refuse(text, emptyBatch);
    else receiveBatch(json.value.map(withPlainParams));
  }

  function receiveBatch(messages: readonly unknown[]): void {
    batches.begin(messages.map((message) => (isMessage(message) ? message : toJsonRpcError(message))));
    for (const message of messages) if (isMessage(message)) deliver(message);
  }

  function receiveOne(value: unknown, text: string): void {
    const message = withPlainParams(value);
    if (isMessage(message)) deliver(message);
    else refuse(text, invalidRequest);
  }

  function deliver(message: JSONRPCMessage): void {
    if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled')
      batches.forget(message.params?.requestId);
    transport.onmessage?.(message);
  }

  function refuse(text: string, { code, message }: RpcProblem): void {
    log(
      `a line of the client was refused: ${message}; it begins ${toVisibleJson(JSON.stringify(text.slice(0, 80)))}`,
    );
    // Written by hand, because an id that was rounded on reading must go back exactly as it came.
    void write(`{"jsonrpc":"2.0","id":${findId(text)},"error":${JSON.stringify({ code, message })}}`).catch(
      () => {},
    );
  }

  function refuseTooLong(start: Buffer): void {
    refuse(start.toString('latin1'), {
      code: -32600,
      message: 'Invalid Request: the line is too long to be read',
    });
  }

  function write(text: string): Promise<void> {
    if (isClosed) return Promise.reject(new Error('the connection is closed'));
    return new Promise((resolve, reject) => {
      output.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  const end = () => void transport.close();

  function onOutputError(error: Error): void {
    // The listener stays after the close, so that a write error does not crash the process.
    if (isClosed) return;
    transport.onerror?.(error);
    end();
  }

  const transport: Transport = {
    async start() {
      if (input.readableEnded || input.destroyed) setImmediate(end);
      output.on('error', onOutputError);
      input.on('data', readLines).on('error', end).on('end', end).on('close', end);
    },
    send: (message) => batches.take(message) ?? write(JSON.stringify(message)),
    async close() {
      if (isClosed) return;
      isClosed = true;
      input.off('data', readLines).off('error', end).off('end', end).off('close', end);
      if (input.listenerCount('data') === 0) input.pause();
      transport.onclose?.();
    },
  };
  return transport;
}

const emptyBatch = { code: -32600, message: 'Invalid Request: the batch is empty' };

const invalidRequest = {
  code: -32600,
  message:
    'Invalid Request: send jsonrpc "2.0", a method, params that are an object, and an id that is a string or a whole number below 2^53',
};

function isMessage(value: unknown): value is JSONRPCMessage {
  return isJSONRPCRequest(value) || isJSONRPCNotification(value) || isJSONRPCResponse(value);
}

function toJsonRpcError(message: unknown): object {
  return { jsonrpc: '2.0', id: JSON.parse(findId(JSON.stringify(message))), error: invalidRequest };
}

/** The id the client waits for, exactly as it wrote it; `null` if there is none that a response could carry. */
function findId(text: string): string {
  try {
    const { id } = JSON.parse(withoutByteOrderMark(text)) as { id?: unknown };
    if (typeof id === 'string') return JSON.stringify(id);
    const written = [...text.matchAll(/"id"\s*:\s*(-?\d[\d.eE+-]*)/g)].map(([, number]) => number as string);
    return written.find((number) => Number(number) === id) ?? 'null';
  } catch {
    return 'null';
  }
}
