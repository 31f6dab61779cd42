import type { IncomingMessage, ServerResponse } from 'node:http';
import { BusError } from '../contract/errors.ts';
import type { Answers, Exchange } from './answers.ts';
import type { Serve } from './calls.ts';
import { toOpenApi } from './openapi.ts';
import type { RouteEntry } from './routing.ts';
import { basePath, headerNames, type Route, routes } from './wire.ts';

/** A route that is not an operation: the panel, the metrics, the MCP server. It writes its own response. */
export type Page = Readonly<{
  method: string;
  path: string;
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
}>;

export type Health = () => Promise<Readonly<{ ok: boolean }>>;

export type TargetsOptions = Readonly<{
  answers: Answers;
  version: string;
  health: Health;
  pages: readonly Page[];
  serveCall: (route: Route) => Serve;
  serveStream: Serve;
}>;

/** What is served, and its name in metrics. */
export type Target = Readonly<{ route: string; serve: Serve }>;

/** Everything that is served: the operations of the contract, the two documents about the bus, and the pages. */
export function toTargets(options: TargetsOptions): RouteEntry<Target>[] {
  const { answers, pages, serveCall, serveStream } = options;
  return [
    ...routes.map((route) => {
      const serve = serveCall(route);
      const path = `${basePath}${route.operation.path}`;
      return toEntry(
        route.operation.method,
        path,
        route.name === 'readEvents' ? orStream(serve, serveStream) : serve,
      );
    }),
    toEntry('GET', '/healthz', serveHealth(options.health, answers)),
    toEntry('GET', `${basePath}/openapi.json`, serveOpenApi(options.version, answers)),
    ...pages.map(({ method, path, handle }) => toEntry(method, path, servePage(handle, answers))),
  ];
}

function toEntry(method: string, path: string, serve: Serve): RouteEntry<Target> {
  const route = path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
  return { method, path, target: { route, serve } };
}

function orStream(serve: Serve, serveStream: Serve): Serve {
  return (exchange, asked) => {
    const { method, headers } = exchange.request;
    const isStream = method === 'GET' && headers.accept?.includes('text/event-stream');
    (isStream ? serveStream : serve)(exchange, asked);
  };
}

function serveHealth(health: Health, answers: Answers): Serve {
  return (exchange) => {
    health().then(
      (state) => answers.send(exchange, state.ok ? 200 : 503, state),
      (error) => {
        answers.fail(exchange, error);
        const detail =
          error instanceof BusError ? error.detail : 'the bus is not well: the cause is in its log';
        answers.send(exchange, 503, { ok: false, detail });
      },
    );
  };
}

function serveOpenApi(version: string, answers: Answers): Serve {
  let text: string | undefined;
  return (exchange) => {
    text ??= JSON.stringify(toOpenApi({ version }));
    answers.sendText(exchange, 200, text);
  };
}

function servePage(handle: Page['handle'], answers: Answers): Serve {
  return (exchange) => {
    const { request, response } = exchange;
    response.setHeader(headerNames.requestId, exchange.id);
    response.once('close', () => answers.measure(exchange, response.statusCode));
    if (request.headers.expect !== undefined) response.writeContinue();
    runPage(handle, exchange).catch((error) => {
      if (response.headersSent) response.destroy();
      else answers.refuse(exchange, error);
    });
  };
}

/** Asynchronous even for a synchronous page, so that there is only one way to fail. */
async function runPage(handle: Page['handle'], { request, response }: Exchange): Promise<void> {
  await handle(request, response);
}
