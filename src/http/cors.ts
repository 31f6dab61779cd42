import type { IncomingMessage, ServerResponse } from 'node:http';
import { basePath, headerNames } from './wire.ts';

/**
 * Lets a page of a listed origin read the response; without these headers its browser blocks it. Only the API and
 * the MCP server allow pages of other origins.
 */
export function allowOrigin(response: ServerResponse, path: string, origin: string): void {
  if (!isForPages(path)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', exposedHeaders);
  response.setHeader('vary', 'Origin');
}

/** A browser asks this before it sends what a page could not send otherwise, such as JSON or the secret. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** Tells the browser, in response to a preflight, which methods and headers the page may send. */
export function allowRequest(
  { headers }: IncomingMessage,
  response: ServerResponse,
  methods: Iterable<string>,
): void {
  response.setHeader('access-control-allow-methods', [...methods].join(', '));
  // Later MCP versions send headers that cannot be listed today, and the origin is trusted as a whole.
  const asked = headers['access-control-request-headers'];
  if (asked !== undefined && /^[\w-]+(, ?[\w-]+)*$/.test(asked))
    response.setHeader('access-control-allow-headers', asked);
  // Chrome asks this when a public page calls a private address.
  if (headers['access-control-request-private-network'] === 'true')
    response.setHeader('access-control-allow-private-network', 'true');
  response.setHeader('access-control-max-age', preflightSeconds);
}

/** The same headers for a response that is written without the response object. */
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
