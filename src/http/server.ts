import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bus } from '../contract/contract.ts';
import { toBusError } from '../contract/errors.ts';
import { toLaneNameFault } from '../contract/lane-names.ts';
import { limits } from '../contract/limits.ts';
import { createAnswers, type Exchange, type Logger, type Measurement } from './answers.ts';
import { createBodies } from './bodies.ts';
import { type Bounds, standardBounds } from './bounds.ts';
import { answerBrokenRequest } from './broken.ts';
import { createCalls } from './calls.ts';
import { createCloser } from './closing.ts';
import { createConnections } from './connections.ts';
import { allowOrigin, allowRequest, isPreflight } from './cors.ts';
import { createEventStreams } from './events.ts';
import { createGuard } from './guard.ts';
import type { OnQuietChange } from './hints.ts';
import { createIdMaker, readRequestId } from './ids.ts';
import { createRequestQueue } from './request-queue.ts';
import { createRouteTable, type Match } from './routing.ts';
import { type Health, type Page, type Target, toTargets } from './targets.ts';
import { basePath, headerNames } from './wire.ts';

export type HttpServerOptions = Readonly<{
  bus: Bus;
  version: string;
  /** Writes must send it in `X-Bus-Secret`; reads never do. If there are two, one per line, either is accepted. */
  writeSecret?: string | undefined;
  /** Host names to accept, and whole origins whose pages may call the bus too. */
  allowedHosts: readonly string[];
  health: Health;
  /** Everything else served on the same port. Host and Origin are checked before a page runs. */
  pages?: readonly Page[];
  log: Logger;
  observe?: ((measurement: Measurement) => void) | undefined;
  /** How the streams hear about changes without an event. Without it they give no hints. */
  onQuietChange?: OnQuietChange | undefined;
}> &
  Partial<Bounds>;

export type Listening = Readonly<{ host: string; port: number; url: string }>;

export type HttpServer = Readonly<{
  server: Server;
  /** Port 0 takes any free port. Rejects with the system's error, such as `EADDRINUSE`. */
  listen(address: Readonly<{ host: string; port: number }>): Promise<Listening>;
  /** Accepts nothing new, lets running calls finish, and cuts off what remains after `graceMs` (4000). */
  close(options?: Readonly<{ graceMs?: number }>): Promise<void>;
  /** For pages with large responses: throws a refusal when there is no room for another response. */
  checkRoom(): void;
  /** How many are open. */
  eventStreams(): number;
}>;

/** A bus behind HTTP: one loop over the contract, plus the few pages that are not operations. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { bus, log, observe } = options;
  const bounds: Bounds = { ...standardBounds, ...options };
  let closed: Promise<void> | undefined;
  const isClosing = () => closed !== undefined;
  const nextId = createIdMaker();
  const guard = createGuard(options);
  const answers = createAnswers({ ...bounds, log, observe, isClosing });
  const bodies = createBodies({ ...bounds, answers });
  const calls = createCalls({ bus, answers, guard, checkRoom: () => checkRoom() });
  const streams = createEventStreams({ ...bounds, bus, answers, log, onQuietChange: options.onQuietChange });
  const table = createRouteTable(
    toTargets({ answers, pages: [], ...options, serveCall: calls.toServe, serveStream: streams.serve }),
  );

  const takeInOrder = createRequestQueue({ ...bounds, serve, refuse: answers.refuse });

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    // The connection has already had its last response.
    if (request.socket.writableEnded) return;
    const id = readRequestId(request.headers[headerNames.requestId]) ?? nextId();
    const startedAtMs = performance.now();
    takeInOrder({ request, response, id, startedAtMs, route: 'unknown', isMeasured: false });
  }

  function serve(exchange: Exchange): void {
    try {
      checkUrl(exchange.request);
      const listedOrigin = guard.checkHost(exchange.request);
      if (listedOrigin !== undefined) allowOrigin(exchange.response, pathOf(exchange.request), listedOrigin);
      if (isClosing()) throw stopping();
      bodies.admit(exchange);
      dispatch(exchange);
    } catch (error) {
      answers.refuse(exchange, error);
    }
  }

  function dispatch(exchange: Exchange): void {
    const { method, url } = exchange.request as { method: string; url: string };
    const question = url.indexOf('?');
    const match = table.find(pathOf(exchange.request));
    const target = match && findTarget(match, method);
    if (match && isAllowedPreflight(exchange)) {
      answerPreflight(exchange, match);
    } else if (target) {
      exchange.route = target.route;
      const query = question < 0 ? '' : url.slice(question + 1);
      target.serve(exchange, { segments: match.segments, query });
    } else {
      answers.refuse(exchange, toNotFound(exchange.request, match), toAllow(match));
    }
  }

  const server = createServer(serverOptions, onRequest);
  const { sockets, checkRoom } = createConnections({ ...bounds, server, log, nextId });
  const closeServer = createCloser(server, sockets);
  // Reading the body tells the client to continue; a refusal does not.
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);
  server.on('clientError', (error, socket) => answerBrokenRequest(error, socket, nextId()));
  return {
    server,
    checkRoom,
    eventStreams: streams.count,
    listen: (address) => listen(server, address),
    close({ graceMs = 4_000 } = {}) {
      streams.close();
      closed ??= closeServer(graceMs);
      return closed;
    },
  };
}

const serverOptions = {
  maxHeaderSize: limits.headerBytesMax,
  headersTimeout: limits.headerSecondsMax * 1000,
  requestTimeout: limits.requestSecondsMax * 1000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: limits.idleConnectionSecondsMax * 1000,
  // The guard refuses a missing Host itself, with a readable sentence.
  requireHostHeader: false,
};

function checkUrl({ url }: IncomingMessage): void {
  if ((url as string).length <= limits.urlCharactersMax) return;
  const detail = `the URL is longer than the ${limits.urlCharactersMax} characters the bus reads: ask for less`;
  throw toBusError('too_large', detail, { limit_bytes: limits.urlCharactersMax });
}

function pathOf({ url }: IncomingMessage): string {
  const question = (url as string).indexOf('?');
  return question < 0 ? (url as string) : (url as string).slice(0, question);
}

function isAllowedPreflight({ request, response }: Exchange): boolean {
  return isPreflight(request) && response.hasHeader('access-control-allow-origin');
}

function answerPreflight({ request, response }: Exchange, { targets }: Match<Target>): void {
  allowRequest(request, response, targets.keys());
  response.writeHead(204).end();
}

function stopping() {
  return toBusError('unavailable', 'the bus is stopping: repeat the call in a moment', { retry_after_s: 1 });
}

function findTarget({ targets }: Match<Target>, method: string): Target | undefined {
  return targets.get(method) ?? (method === 'HEAD' ? targets.get('GET') : undefined);
}

function toNotFound({ method, url }: IncomingMessage, match: Match<Target> | undefined) {
  const path = (url as string).split('?')[0]?.slice(0, 200);
  const detail = match
    ? `${path} is not there for ${method}: use ${[...match.targets.keys()].join(' or ')}`
    : `there is no route ${method} ${path}: ${toLaneAdvice(path) ?? `see ${basePath}/openapi.json for those that there are`}`;
  return toBusError('not_found', detail, {});
}

/** Slashes in a name that was not encoded split it into several path segments. */
function toLaneAdvice(path = ''): string | undefined {
  const start = `${basePath}/lanes/`;
  if (!path.startsWith(start)) return undefined;
  const wish = path.slice(start.length).replace(/\/(claim|release|heartbeat)$/, '');
  return wish.includes('/') ? `the name of a lane ${toLaneNameFault(wish)}` : undefined;
}

function toAllow(match: Match<Target> | undefined): string[] {
  return match ? ['allow', [...match.targets.keys()].join(', ')] : [];
}

function listen(
  server: Server,
  { host, port }: Readonly<{ host: string; port: number }>,
): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 4_096 }, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo;
      const name = host.includes(':') ? `[${host}]` : host;
      resolve({ host, port: address.port, url: `http://${name}:${address.port}` });
    });
  });
}
