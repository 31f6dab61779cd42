import http from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import { headerNames, safeRepeats } from './wire.ts';

export type WireRequest = Readonly<{
  method: string;
  path: string;
  headers: http.OutgoingHttpHeaders;
  body: Buffer | undefined;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Without a key, sending it twice would store it twice. */
  isAppend: boolean;
}>;

/** What came back: a complete response, or the reason why there is none. */
export type Reply = Readonly<{
  status: number;
  contentType: string;
  location: string | undefined;
  /** The server closes the connection after this response. */
  isLast: boolean;
  /** The bus says that it stores a write only once when it is repeated with the same key. */
  honoursKeys: boolean;
  text: string;
}>;
export type Failure = Readonly<{ failure: 'broken' | 'refused' | 'timeout' | 'other'; words: string }>;

/**
 * Checks a newly opened connection before any request uses it. Rejects when nothing may be sent to the program at
 * the other end.
 */
export type Admit = (socket: Socket) => Promise<void>;

/** Sends requests to one address over connections that are kept open. */
export function createSender(address: URL, admit?: Admit) {
  const transport = address.protocol === 'https:' ? loadHttps() : http;
  const agent = new transport.Agent({ keepAlive: true });
  if (admit) admitFirst(agent, admit);
  const { protocol, hostname, port, auth } = urlToHttpOptions(address);
  const base = { protocol, hostname, port, auth, agent };
  const prefix = address.pathname.replace(/\/+$/, '');

  /** A value that no header can carry is an error at once, for example a line break in the secret. */
  function open(options: http.RequestOptions): http.ClientRequest | Error {
    try {
      return transport.request(options);
    } catch (error) {
      return error as Error;
    }
  }

  /** Rejects only with the reason of the signal. */
  function send({ method, path, headers, body, timeoutMs, signal }: WireRequest): Promise<Reply | Failure> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const request = open({ ...base, method, path: prefix + path, headers });
      if (request instanceof Error) return resolve(toFailure(request));
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const settle = (outcome: Reply | Failure) => {
        finish();
        resolve(outcome);
      };
      const onAbort = () => {
        finish();
        reject(signal?.reason);
        request.destroy();
      };
      const timer = setTimeout(() => {
        settle({ failure: 'timeout', words: `no answer came within ${timeoutMs / 1000} seconds` });
        request.destroy();
      }, timeoutMs);
      signal?.addEventListener('abort', onAbort);
      const fail = (error: NodeJS.ErrnoException) => settle(toFailure(error));
      request.on('error', fail);
      request.on('response', (response) => collect(response, settle, fail));
      request.end(body);
    });
  }

  return { send, close: () => agent.destroy() };
}

function admitFirst(agent: http.Agent, admit: Admit): void {
  // Node's types leave out what agents are built from.
  const maker = agent as unknown as SocketMaker;
  const connect = maker.createConnection.bind(agent);
  maker.createConnection = (options, callback) => {
    const socket = connect(options);
    if (!socket) return undefined;
    admit(socket).then(
      () => callback?.(null, socket),
      (error: Error) => {
        socket.destroy();
        callback?.(error);
      },
    );
    return undefined;
  };
}

type SocketMaker = {
  createConnection: (
    options: object,
    callback?: (error: Error | null, socket?: Socket) => void,
  ) => Socket | undefined;
};

/** Loading TLS takes milliseconds that calls on the same machine do not need. */
function loadHttps(): typeof http {
  return createRequire(import.meta.url)('node:https');
}

function collect(
  response: http.IncomingMessage,
  settle: (reply: Reply) => void,
  fail: (error: NodeJS.ErrnoException) => void,
): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('error', fail);
  response.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    settle({
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      location: response.headers.location,
      isLast: response.headers.connection === 'close',
      honoursKeys: response.headers[headerNames.repeats] === safeRepeats,
      text: body.toString('utf8'),
    });
  });
}

function toFailure(error: NodeJS.ErrnoException): Failure {
  const code = error.code ?? '';
  if (brokenCodes.has(code)) return { failure: 'broken', words: brokenWords };
  if (code === 'ECONNREFUSED')
    return { failure: 'refused', words: 'the connection was refused, nothing listens there' };
  if (code === strangerCode) return { failure: 'refused', words: error.message };
  return { failure: 'other', words: failureWords[code] ?? error.message };
}

/** The error code for a connection that was not admitted. For the caller it means that no bus listens there. */
export const strangerCode = 'ERR_STRANGER';

export const brokenWords = 'the connection broke before the answer was there';
const brokenCodes = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

const failureWords: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
};
