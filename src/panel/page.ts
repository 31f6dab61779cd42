import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bus } from '../contract/contract.ts';
import { type Content, type PanelAsset, readPanelAssets, toContent } from './assets.ts';
import { toDocument } from './document.ts';
import { toSummary } from './summary.ts';

/** What an HTTP server is given to serve. */
export type PanelPage = Readonly<{
  method: string;
  path: string;
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
}>;

/**
 * The live page with its two files, and the summary that a terminal gets in its place. The files that the build left
 * in the folder are read when somebody asks for the page first.
 */
export function createPanelPages({ bus, folder }: Readonly<{ bus: Bus; folder: URL }>): PanelPage[] {
  let loaded: Readonly<{ document: Content; files: readonly PanelAsset[] }> | undefined;

  function load() {
    if (loaded) return loaded;
    const { script, style } = readPanelAssets(folder);
    const text = toDocument({ script: `panel/${script.name}`, style: `panel/${style.name}` });
    loaded = { document: toContent(Buffer.from(text, 'utf8')), files: [script, style] };
    return loaded;
  }

  async function serveRoot(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (asksForPage(request.headers.accept))
      return sendContent(request, response, load().document, pageHeaders);
    const summary = toSummary(await bus.getBusStatus({}));
    response.writeHead(200, summaryHeaders).end(summary);
  }

  function serveFile(request: IncomingMessage, response: ServerResponse): void {
    const file = load().files.find(({ name }) => request.url?.split('?')[0] === `/panel/${name}`);
    if (file) {
      sendContent(request, response, file, { ...fileHeaders, 'content-type': file.contentType });
      return;
    }
    // A page of another version asks for its own files.
    response.writeHead(404, summaryHeaders).end('There is no such file: reload the page.\n');
  }

  return [
    { method: 'GET', path: '/', handle: serveRoot },
    { method: 'GET', path: '/panel/{file}', handle: serveFile },
  ];
}

/** A browser names the type; `curl` and its like take anything, and are better off with text. */
export function asksForPage(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const isRefused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    return (type === 'text/html' || type === 'application/xhtml+xml') && !isRefused;
  });
}

const shared = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };

/**
 * Everything comes from the bus itself and nothing is inline; icons with a number on them are made on the page. With
 * Trusted Types the browser itself refuses any attempt to turn text into markup.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const pageHeaders = {
  ...shared,
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-cache',
  vary: 'Accept, Accept-Encoding',
};

const summaryHeaders = {
  ...shared,
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  vary: 'Accept',
};

const fileHeaders = {
  ...shared,
  'cache-control': 'public, max-age=31536000, immutable',
  vary: 'Accept-Encoding',
};

function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  { plain, gzipped }: Content,
  headers: Readonly<Record<string, string>>,
): void {
  const isGzipped = /\bgzip\b(?!\s*;\s*q=0)/i.test(String(request.headers['accept-encoding'] ?? ''));
  const content = isGzipped ? gzipped : plain;
  const encoding = isGzipped ? { 'content-encoding': 'gzip' } : {};
  response.writeHead(200, { ...headers, ...encoding, 'content-length': content.length }).end(content);
}
