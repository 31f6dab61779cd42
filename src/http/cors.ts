import type { IncomingMessage, ServerResponse } from 'node:http';
import { basePath, headerNames } from './wire.ts';

/**
 * Lets a page of a listed origin read the answer: without these headers its browser keeps the answer from it. Only the
 * API and the MCP server are for pages of other origins.
 */
export function allowOrigin(response: ServerResponse, path: string, origin: string): void {
  if (!isForPages(path)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', exposedHeaders);
  response.setHeader('vary', 'Origin');
}

/** A browser asks this before it sends what a page could not send by itself, such as JSON or the secret. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** Adds to the answer of a preflight which methods and headers the page may send. */
export function allowRequest(
  { headers }: IncomingMessage,
  response: ServerResponse,
  methods: Iterable<string>,
): void {
  response.setHeader('access-control-allow-methods', [...methods].join(', '));
  // Clients of later MCP versions send headers that nobody can list today; the origin is trusted as a whole.
  const asked = headers['access-control-request-headers'];
  if (asked !== undefined && /^[\w-]+(, ?[\w-]+)*$/.test(asked))
    response.setHeader('access-control-allow-headers', asked);
  // Chrome asks this when a public page turns to a private address.
  if (headers['access-control-request-private-network'] === 'true')
    response.setHeader('access-control-allow-private-network', 'true');
  response.setHeader('access-control-max-age', preflightSeconds);
}

/** The same headers for an answer that is written past the response object. */
export function toCorsHeaders(response: ServerResponse): string[] {
  return Object.entries(response.getHeaders()).flatMap(([name, value]) =>
    name.startsWith('access-control-') || name === 'vary' ? [name, String(value)] : [],
  );
}

function isForPages(path: string): boolean {
  return path.startsWith(`${basePath}/`) || path === '/mcp' || path === '/mcp/';
}

const exposedHeaders = [headerNames.requestId, headerNames.repeats, 'retry-after'].join(', ');
const preflightSeconds = 600;
