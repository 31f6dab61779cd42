import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { toBusError } from '../contract/errors.ts';
import { headerNames } from './wire.ts';

export type GuardOptions = Readonly<{ allowedHosts: readonly string[]; writeSecret?: string | undefined }>;

/**
 * Who may talk to the bus at all, and who may write.
 *
 * A page of another site can send requests to this machine, directly or by giving its own name a loopback address.
 * Its name is in `Host` or `Origin` then, so both must be names that the bus was told to answer to.
 */
export function createGuard(options: GuardOptions) {
  const hosts = new Set(options.allowedHosts.map(toHostName));
  const secretDigest = options.writeSecret ? digest(Buffer.from(options.writeSecret, 'utf8')) : undefined;
  return {
    checkHost({ headers }: IncomingMessage): void {
      if (!hosts.has(toHostName(headers.host ?? ''))) throw forbidden('Host', headers.host);
      const { origin } = headers;
      if (origin !== undefined && !isAllowedOrigin(hosts, origin)) throw forbidden('Origin', origin);
    },
    checkSecret({ headers }: Pick<IncomingMessage, 'headers'>): void {
      if (!secretDigest) return;
      const given = headers[headerNames.writeSecret];
      if (typeof given !== 'string') throw unauthorized('is missing');
      // Node reads header bytes as latin1, so this gives back the bytes that were sent.
      if (!timingSafeEqual(digest(Buffer.from(given, 'latin1')), secretDigest))
        throw unauthorized('is wrong');
    },
  };
}

/** `Example.com:8100` as `example.com`; `[::1]:8100` and `::1` as `[::1]`. */
function toHostName(host: string): string {
  const name = host.toLowerCase();
  if (name.startsWith('[')) return name.slice(0, name.indexOf(']') + 1);
  const colon = name.indexOf(':');
  if (colon < 0) return name;
  return name.indexOf(':', colon + 1) < 0 ? name.slice(0, colon) : `[${name}]`;
}

function isAllowedOrigin(hosts: ReadonlySet<string>, origin: string): boolean {
  // URL.canParse of Node 20, once it is warm, says yes to what cannot be parsed.
  try {
    return hosts.has(new URL(origin).hostname);
  } catch {
    return false;
  }
}

/** Digests have one length whatever was given, so that the comparison tells nothing about the secret. */
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

function unauthorized(fault: string) {
  const detail = `the write secret ${fault}: send the secret of the bus in the header X-Bus-Secret (set BUS_WRITE_SECRET)`;
  return toBusError('unauthorized', detail, {});
}
