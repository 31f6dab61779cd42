import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Bus, type Call, type OperationName, operationNames } from '../../src/contract/contract.ts';
import { parseInput } from '../../src/contract/input.ts';
import { createHttpServer, type HttpServerOptions } from '../../src/http/server.ts';

export type Seen = { name: OperationName; input: Record<string, unknown>; call: Call };
export type Script = Partial<Record<OperationName, (input: Record<string, unknown>, call: Call) => unknown>>;

/** A bus that checks inputs as every bus does, answers as told, and remembers what it was asked. */
export function createScriptedBus(script: Script = {}): Bus & { seen: Seen[] } {
  const seen: Seen[] = [];
  const operations = operationNames.map((name) => [
    name,
    async (input: Record<string, unknown>, call: Call = {}) => {
      const parsed = parseInput(name, input) as Record<string, unknown>;
      seen.push({ name, input: parsed, call });
      return script[name] ? script[name](parsed, call) : { ok: true };
    },
  ]);
  return { ...(Object.fromEntries(operations) as Bus), seen };
}

type LogEntry = { level: string; data: object; message: string };

function createLog() {
  const entries: LogEntry[] = [];
  const add = (level: string) => (data: object, message: string) =>
    void entries.push({ level, data, message });
  return { entries, info: add('info'), warn: add('warn'), error: add('error') };
}

/** A server in front of a bus, on a free port if none is given, closed when the test ends. */
export async function startServer(
  options: Partial<HttpServerOptions> & Pick<HttpServerOptions, 'bus'>,
  wantedPort = 0,
) {
  const log = createLog();
  const server = createHttpServer({
    version: '1.2.3',
    allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
    health: async () => ({ ok: true }),
    log,
    ...options,
  });
  const { port, url } = await server.listen({ host: '127.0.0.1', port: wantedPort });
  onTestFinished(() => server.close({ graceMs: 0 }));
  return { server, port, url, baseUrl: `${url}/api/bus`, log };
}

export type Answer = {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  json: Record<string, never>;
};

/** One request with exactly these headers, over a connection of its own. */
export function ask(
  port: number,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: http.OutgoingHttpHeaders; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, method, path, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const json = text.startsWith('{') ? JSON.parse(text) : {};
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

export function post(port: number, path: string, value: unknown, headers: http.OutgoingHttpHeaders = {}) {
  // Node writes the headers as UTF-8, not as latin1, when they go out together with a body that is a string.
  const body = Buffer.isBuffer(value)
    ? value
    : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return ask(port, 'POST', path, { headers: { 'content-type': 'application/json', ...headers }, body });
}

/** Sends bytes as they are and gives back everything that came until the other side closed. */
export function sendRaw(port: number, bytes: string | Buffer, { end = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => (end ? socket.end(bytes) : socket.write(bytes)));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** A port on which nothing listens. */
export async function findClosedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A bus of somebody else: answers every request as told. */
export async function startStranger(
  answer: (request: http.IncomingMessage, response: http.ServerResponse, body: string, count: number) => void,
  port = 0,
) {
  const asked: { method: string; path: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
  const sockets = new Set<net.Socket>();
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, path: url, headers, body });
      answer(request, response, body, asked.length);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  onTestFinished(stop);
  return { baseUrl: `http://127.0.0.1:${address.port}/api/bus`, port: address.port, asked, sockets, stop };
}
