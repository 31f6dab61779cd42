import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { BusError, BusUnreachableError, toBusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import { bodyLengthOf } from './body.ts';
import { closeAfter } from './closing.ts';
import { toCorsHeaders } from './cors.ts';
import { headerNames, safeRepeats } from './wire.ts';

/** One request in progress and its response. */
export type Exchange = Readonly<{
  request: IncomingMessage;
  response: ServerResponse;
  id: string;
  startedAtMs: number;
}> & {
  /** The path as the contract writes it, so that metrics have only a few names. */
  route: string;
  isMeasured: boolean;
};

export type Logger = Readonly<Record<'info' | 'warn' | 'error', (data: object, message: string) => void>>;

export type Measurement = Readonly<{ method: string; route: string; status: number; seconds: number }>;

export type AnswersOptions = Readonly<{
  log: Logger;
  observe?: ((measurement: Measurement) => void) | undefined;
  /** While the server closes, every response also ends its connection. */
  isClosing: () => boolean;
  /** A reader that takes nothing for this long is disconnected. */
  stalledReaderSecondsMax: number;
}>;

export type Answers = ReturnType<typeof createAnswers>;

/** Sends every response: complete, and in one write. */
export function createAnswers(options: AnswersOptions) {
  const { isClosing, stalledReaderSecondsMax } = options;
  const measure = createMeasure(options.observe);
  const fail = createFail(options.log);
  const sharedBytes = new WeakMap<object, Buffer>();

  function send(exchange: Exchange, status: number, value: unknown): void {
    try {
      sendText(exchange, status, JSON.stringify(value));
    } catch (error) {
      refuse(exchange, error);
    }
  }

  /** Callers that ask the same thing get the very same object from the engine, so it is serialised once. */
  function sendShared(exchange: Exchange, value: object): void {
    try {
      const bytes = sharedBytes.get(value) ?? Buffer.from(JSON.stringify(value));
      sharedBytes.set(value, bytes);
      sendText(exchange, 200, bytes);
    } catch (error) {
      refuse(exchange, error);
    }
  }

  function sendText(
    exchange: Exchange,
    status: number,
    text: string | Buffer,
    more?: readonly string[],
  ): void {
    const { request, response } = exchange;
    if (response.destroyed || response.writableEnded) return;
    const headers = toHeaders(exchange.id, text);
    if (more) headers.push(...more);
    if (isClosing()) headers.push('connection', 'close');
    response.writeHead(status, headers);
    response.end(text);
    if (text.length > charactersSentAtOnce) limitStall(request.socket, stalledReaderSecondsMax);
    measure(exchange, status);
  }

  function refuse(exchange: Exchange, error: unknown, more: readonly string[] = []): void {
    const { request, response } = exchange;
    if (response.destroyed || response.writableEnded) return;
    const refusal = toBusRefusal(error);
    if (refusal.status >= 500) fail(exchange, error);
    const text = toRefusalText(refusal);
    const headers = [...more, ...toRetryHeader(refusal)];
    // Without a socket this response waits behind an earlier one, which goes out first.
    if (response.socket && isBodyLeft(request)) {
      sendLast(exchange, refusal.status, text, [...headers, 'connection', 'close']);
    } else {
      sendText(exchange, refusal.status, text, headers);
    }
  }

  /** For a request whose body nobody reads to the end. */
  function sendLast(exchange: Exchange, status: number, text: string, headers: readonly string[]): void {
    const { request, response, id } = exchange;
    request.resume();
    const allHeaders = [...toHeaders(id, text), ...headers, ...toCorsHeaders(response)];
    closeAfter(request.socket, toHead(status, allHeaders) + text);
    measure(exchange, status);
  }

  /** Refuses a request that is still arriving, and stops reading it. */
  function dismiss(exchange: Exchange, refusal: BusError): void {
    const headers = [...toRetryHeader(refusal), 'connection', 'close'];
    sendLast(exchange, refusal.status, toRefusalText(refusal), headers);
  }

  return { send, sendShared, sendText, refuse, dismiss, fail, measure };
}

function createMeasure(observe: AnswersOptions['observe']) {
  return (exchange: Exchange, status: number): void => {
    if (!observe || exchange.isMeasured) return;
    exchange.isMeasured = true;
    const { request, route, startedAtMs } = exchange;
    const seconds = (performance.now() - startedAtMs) / 1000;
    observe({ method: request.method ?? '', route, status, seconds });
  };
}

/**
 * A refusal by the bus is not a failure of the server. Under load there may be thousands a second, so the log counts
 * them.
 */
function createFail(log: Logger) {
  let refusedAtMs = Number.NEGATIVE_INFINITY;

  function isNews(): boolean {
    if (performance.now() - refusedAtMs < refusalsToldMilliseconds) return false;
    refusedAtMs = performance.now();
    return true;
  }

  return ({ id, route }: Exchange, error: unknown): void => {
    const data = { requestId: id, route };
    if (error instanceof BusUnreachableError) {
      log.warn({ ...data, reason: error.message }, 'the call could not be passed on');
    } else if (error instanceof BusError) {
      if (error.code === 'unavailable' && isNews())
        log.warn({ ...data, reason: error.detail }, 'a call was refused, maybe one of many');
    } else {
      // pino only serialises an error under the name `err`.
      log.error({ ...data, err: error }, 'the call failed');
    }
  };
}

const refusalsToldMilliseconds = 10_000;

/** A complete response as text, for a connection where Node offers no response object. */
export function toHead(status: number, headers: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let index = 0; index < headers.length; index += 2)
    head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${head}\r\n`;
}

export function toHeaders(requestId: string, text: string | Buffer): string[] {
  return [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(text)),
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
    headerNames.requestId,
    requestId,
    headerNames.repeats,
    safeRepeats,
  ];
}

export function toRefusalText({ detail, code, data }: BusError): string {
  return JSON.stringify({ detail, code, data: data ?? {} });
}

/** A larger response may not fit into the system's buffers, and then waits there for its reader. */
const charactersSentAtOnce = 65_536;

/** Node removes this limit once the response has gone out. */
function limitStall(socket: Socket, seconds: number): void {
  if (socket.writableLength > 0) socket.setTimeout(seconds * 1000);
}

function toBusRefusal(error: unknown): BusError {
  if (error instanceof BusError) {
    if (error.status >= 400) return error;
    // A bus behind this one sent 200 with something that is not a valid response. Passing on the 200 would hide
    // that.
    return new BusError({ status: 502, detail: error.detail, code: error.code, data: error.data });
  }
  if (error instanceof BusUnreachableError)
    return toBusError('unavailable', error.message, { retry_after_s: 1 });
  const detail =
    'the bus failed in a way nobody foresaw: repeat the call once, then look into the log of the bus';
  return toBusError('internal', detail, {});
}

function toRetryHeader({ data }: BusError): string[] {
  const seconds = data?.retry_after_s;
  return typeof seconds === 'number' ? ['retry-after', String(Math.ceil(seconds))] : [];
}

/**
 * Whether the rest of the body is too long to read and discard, or will not come because the client was never told
 * to send it.
 */
function isBodyLeft(request: IncomingMessage): boolean {
  if (request.complete) return false;
  return bodyLengthOf(request) > limits.requestBytesMax || request.headers.expect !== undefined;
}
