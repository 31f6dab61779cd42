import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { toBusError } from '../contract/errors.ts';
import { toAcceptedSecrets } from './secret.ts';
import { headerNames } from './wire.ts';

export type GuardOptions = Readonly<{
  /** Host names to accept, and whole origins such as `https://bus.example:8443` whose pages may call the bus too. */
  allowedHosts: readonly string[];
  /** One secret, or two, one per line. With two, both are accepted. */
  writeSecret?: string | undefined;
}>;

type Guarded = Pick<IncomingMessage, 'headers'> & Partial<Pick<IncomingMessage, 'rawHeaders' | 'url'>>;

/**
 * Decides who may talk to the bus at all, and who may write.
 *
 * The danger: a web page from another site can send requests to this machine, either directly or by pointing its own
 * host name at a loopback address (DNS rebinding). In both cases its name appears in `Host` or in `Origin`. So
 * `Host` must be a name that the bus was told to accept, and `Origin` must be the address that was called, or a
 * listed origin. A browser that sends no `Origin`, for example for an image, names the page in `Sec-Fetch-Site` or
 * `Referer`.
 */
export function createGuard({ allowedHosts, writeSecret }: GuardOptions) {
  const origins = new Set(allowedHosts.filter(isWhole).map(toOrigin));
  const hosts = new Set(
    allowedHosts.map((entry) => toHostName(isWhole(entry) ? new URL(entry).host : entry)),
  );
  const digests = writeSecret ? toAcceptedSecrets(writeSecret).map((text) => digest(Buffer.from(text))) : [];

  /** Throws a refusal. Returns the origin if it is a listed one. */
  function checkHost(request: Guarded): string | undefined {
    const { host, origin } = request.headers;
    if (host === undefined || !isHostHeader(host) || !hosts.has(toHostName(host))) {
      throw forbidden('Host', host);
    }
    if (hasTwoHosts(request)) throw forbidden('Host', 'given twice');
    if (origin === undefined) checkWithoutOrigin(request, host);
    else if (!isOriginOf(origin, host)) {
      if (!origins.has(origin)) throw forbiddenOrigin(origin);
      return origin;
    }
    return undefined;
  }

  /** Over plain HTTP a browser sends no fetch metadata, so only `Referer` may name the page. */
  function checkWithoutOrigin({ headers, url }: Guarded, host: string): void {
    const { referer, 'sec-fetch-site': site } = headers;
    if (site !== undefined) {
      if (isForAnotherSite(headers)) throw forbidden('Sec-Fetch-Site', String(site));
      return;
    }
    // A link from another page to the bus's own page is fine, and the browser may say where the link was.
    if (referer === undefined || url === '/') return;
    const page = originOf(referer);
    if (page === undefined || !(isOriginOf(page, host) || origins.has(page)))
      throw forbidden('Referer', page);
  }

  /** Compares with the second secret even when the first matched, so that the timing reveals nothing. */
  function checkSecret({ headers }: Guarded): void {
    if (digests.length === 0) return;
    const given = headers[headerNames.writeSecret];
    if (typeof given !== 'string') throw unauthorized('is missing');
    // Node reads headers as latin1, so this restores the bytes that were sent.
    const found = digest(Buffer.from(given, 'latin1'));
    const isRight = digests.map((own) => timingSafeEqual(found, own)).includes(true);
    if (!isRight) throw unauthorized('is wrong');
  }

  return { checkHost, checkSecret };
}

function isWhole(entry: string): boolean {
  return entry.includes('://');
}

/** Other schemes have no origin: it would be `null`, which is what browsers send for any page without one. */
function toOrigin(entry: string): string {
  const { protocol, origin } = new URL(entry);
  if (protocol === 'http:' || protocol === 'https:') return origin;
  throw new Error(
    `${entry} cannot be allowed: only origins that begin with http:// or https:// can be listed`,
  );
}

/** With two `Host` headers Node reports the first, but a proxy may have checked the second. */
function hasTwoHosts({ rawHeaders = [] }: Guarded): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count > 1;
}

function originOf(url: string): string | undefined {
  try {
    return new URL(url).origin;
  } catch {
    return undefined;
  }
}

/** Accepts a name with an optional port, and nothing that a URL parser could take for another host. */
function isHostHeader(host: string): boolean {
  return /^(\[[\da-f:.]+\]|[^:@/?#\\[\]]+)(:\d{0,5})?$/i.test(host);
}

/** `Example.com:8100` becomes `example.com`; `[::1]:8100` and `::1` become `[::1]`. */
function toHostName(host: string): string {
  const name = host.toLowerCase();
  if (name.startsWith('[')) return name.slice(0, name.indexOf(']') + 1);
  const colon = name.indexOf(':');
  if (colon < 0) return name;
  return name.indexOf(':', colon + 1) < 0 ? name.slice(0, colon) : `[${name}]`;
}

/**
 * Whether the page came from the same address that it calls, including the port. The two ends may see different
 * schemes.
 */
function isOriginOf(origin: string, host: string): boolean {
  // In Node 20, URL.canParse sometimes says yes to text that does not parse, once it has been optimised.
  try {
    const page = new URL(origin);
    return page.origin === origin && page.host === new URL(`${page.protocol}//${host}`).host;
  } catch {
    return false;
  }
}

/** Following a link from another page to the bus's page is fine: that page cannot read the response. */
function isForAnotherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document';
}

/** Digests always have the same length, so the comparison reveals nothing about the secret. */
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function forbidden(header: string, value: string | undefined) {
  const given =
    value === undefined
      ? `the ${header} header is missing`
      : `${header} '${value.slice(0, 100)}' is not accepted here`;
  return toBusError(
    'forbidden_origin',
    `${given}: use the address the bus printed, or add the host to BUS_ALLOWED_HOSTS`,
    {},
  );
}

function forbiddenOrigin(origin: string) {
  const shown = origin.slice(0, 100);
  const remedy = /^https?:\/\//.test(origin)
    ? `to let its pages ask, start the bus with ${shown} in BUS_ALLOWED_HOSTS`
    : 'only pages that come from an http or https address can be allowed';
  const detail = `Origin '${shown}' is not accepted here: use the address the bus printed; ${remedy}`;
  return toBusError('forbidden_origin', detail, {});
}

function unauthorized(fault: string) {
  const detail = `the write secret ${fault}: send the secret of the bus in the header X-Bus-Secret, at /mcp also as Authorization: Bearer (set BUS_WRITE_SECRET)`;
  return toBusError('unauthorized', detail, {});
}
