import type { OutgoingHttpHeaders } from 'node:http';
import { toShownUrl } from '../contract/base-url.ts';
import type { Bus, Call } from '../contract/contract.ts';
import { BusUnreachableError } from '../contract/errors.ts';
import { waitSecondsOf } from '../contract/input.ts';
import { checkIdempotencyKey, createKeyMaker } from '../contract/keys.ts';
import { commandText } from '../contract/publication.ts';
import { sendRepeatedly } from './repeating.ts';
import { toAnswer } from './replies.ts';
import { toSentSecret } from './secret.ts';
import type { Admit } from './send.ts';
import { createSenders } from './senders.ts';
import { headerNames, type Route, routes, toWire } from './wire.ts';

export type ClientOptions = Readonly<{
  /** Where the bus is, with its base path: `http://127.0.0.1:8100/api/bus`. Several, with commas between, are asked in turn. */
  baseUrl: string;
  /** Per request, on top of any `wait_s`; 10 when left out. */
  timeoutSeconds?: number | undefined;
  /** Sent with writes only; of two, each on a line, the first. */
  writeSecret?: string | undefined;
  userAgent?: string | undefined;
  /** Waits some seconds for a bus that went away under a call (true). A caller who brings it back need not. */
  waitsForReturn?: boolean | undefined;
  /** Looks at each new connection before anything is sent over it. */
  admit?: Admit | undefined;
}>;

export type Client = Bus & Readonly<{ close(): Promise<void> }>;

/**
 * A bus that is somewhere else. One call is one HTTP request over a kept connection.
 *
 * Every write carries an idempotency key, so that a call whose connection broke before the answer can be repeated
 * for some seconds without doing anything twice: a bus that was restarted meanwhile is not noticed. A bus that does
 * not say that it honours such keys is never sent the same message twice.
 */
export function createClient(options: ClientOptions): Client {
  const addresses = parseAddresses(options.baseUrl);
  const url = addresses?.map(({ href }) => toShownUrl(href)).join(', ') ?? toShownUrl(options.baseUrl);
  const senders = addresses && createSenders(addresses, options.admit);
  const timeoutSeconds = options.timeoutSeconds ?? 10;
  const waitsForReturn = options.waitsForReturn ?? true;
  const nextKey = createKeyMaker();
  const readHeaders = { accept: 'application/json', 'user-agent': options.userAgent ?? 'bus-mcp' };
  const writeHeaders = {
    ...readHeaders,
    ...toSecretHeader(options.writeSecret),
    'content-type': 'application/json',
  };
  let isClosed = false;

  async function operate(route: Route, input: object, call: Call = {}): Promise<object> {
    const { path, body } = toWire(route, input);
    if (!senders) throw toUnreachable(url, 'that is not an address of the form http://host:port/api/bus');
    const request = {
      method: route.operation.method,
      path,
      headers: toHeaders(route, call),
      // Bytes, not text: Node would write the headers as UTF-8 too if they went out together with text.
      body: body === undefined ? undefined : Buffer.from(body),
      timeoutMs: Math.min((timeoutSeconds + waitSecondsOf(input)) * 1000, timerMsMax),
      signal: call.signal,
      isAppend: route.operation.effect === 'append',
    };
    const outcome = await sendRepeatedly(senders, request, { isClosed: () => isClosed, waitsForReturn });
    if ('failure' in outcome) throw toUnreachable(url, outcome.words);
    return toAnswer(outcome, url);
  }

  function toHeaders(route: Route, { idempotencyKey }: Call): OutgoingHttpHeaders {
    if (!route.isWrite) return readHeaders;
    if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
    return { ...writeHeaders, [headerNames.idempotencyKey]: idempotencyKey ?? nextKey() };
  }

  const operations = routes.map((route) => [
    route.name,
    (input: object, call?: Call) => operate(route, input, call),
  ]);
  return {
    ...(Object.fromEntries(operations) as Bus),
    async close() {
      isClosed = true;
      senders?.close();
    },
  };
}

/** A timer that is set for longer fires at once. */
const timerMsMax = 2 ** 31 - 1;

function parseAddresses(baseUrl: string): readonly URL[] | undefined {
  const addresses = baseUrl.split(',').map((text) => parseAddress(text.trim()));
  return addresses.every((address) => address !== undefined) ? addresses : undefined;
}

function parseAddress(baseUrl: string): URL | undefined {
  try {
    const address = new URL(baseUrl);
    return address.protocol === 'http:' || address.protocol === 'https:' ? address : undefined;
  } catch {
    return undefined;
  }
}

function toUnreachable(url: string, words: string): BusUnreachableError {
  const remedy = `start a bus with: ${commandText} serve (or set BUS_MCP_BASE_URL to one that runs)`;
  return new BusUnreachableError(`no bus answered at ${url}: ${words}; ${remedy}`, url);
}

function toSecretHeader(secret: string | undefined): Record<string, string> {
  // Node writes header text as latin1; this way the bytes of the secret travel as they are.
  if (!secret) return {};
  return { [headerNames.writeSecret]: Buffer.from(toSentSecret(secret), 'utf8').toString('latin1') };
}
