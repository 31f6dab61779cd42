import type { OutgoingHttpHeaders } from 'node:http';
import { toAgentHeader } from '../contract/agent-header.ts';
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
  /**
   * The address of the bus with its base path: `http://127.0.0.1:8100/api/bus`. Several addresses, separated by
   * commas, are tried in turn.
   */
  baseUrl: string;
  /** Per request, in addition to `wait_s`; the default is 10. */
  timeoutSeconds?: number | undefined;
  /** Sent with writes only. If there are two, one per line, the first is sent. */
  writeSecret?: string | undefined;
  userAgent?: string | undefined;
  /**
   * Waits a few seconds for a bus that went away during a call (default: true). A caller that restarts the bus
   * itself does not need this.
   */
  waitsForReturn?: boolean | undefined;
  /** Checks each new connection before anything is sent over it. */
  admit?: Admit | undefined;
}>;

export type Client = Bus & Readonly<{ close(): Promise<void> }>;

/**
 * A client for a bus elsewhere. One call is one HTTP request on a connection that is kept open.
 *
 * Every write carries an idempotency key. When the connection breaks before the response, the client repeats the
 * call for some seconds, and the key makes sure that nothing happens twice. So callers do not notice when a bus
 * restarts. If a bus does not say that it supports these keys, the same message is never sent to it twice.
 */
export function createClient(options: ClientOptions): Client {
  const addresses = parseAddresses(options.baseUrl);
  const url = addresses?.map(({ href }) => toShownUrl(href)).join(', ') ?? toShownUrl(options.baseUrl);
  const senders = addresses && createSenders(addresses, options.admit);
  const timeoutSeconds = options.timeoutSeconds ?? 10;
  const waitsForReturn = options.waitsForReturn ?? true;
  const nextKey = createKeyMaker();
  const readHeaders = { accept: 'application/json', 'user-agent': options.userAgent ?? 'bus-mcp' };
  /** A read whose question is too long for an address; it needs no secret. */
  const askHeaders = { ...readHeaders, 'content-type': 'application/json' };
  const writeHeaders = { ...askHeaders, ...toSecretHeader(options.writeSecret) };
  let isClosed = false;

  async function operate(route: Route, input: object, call: Call = {}): Promise<object> {
    const { path, body } = toWire(route, input);
    if (!senders) throw toUnreachable(url, 'that is not an address of the form http://host:port/api/bus');
    const request = {
      method: route.operation.method,
      path,
      headers: toHeaders(route, call),
      // Bytes, not text: when headers and text go out together, Node would write the headers as UTF-8 too.
      body: body === undefined ? undefined : Buffer.from(body),
      timeoutMs: Math.min((timeoutSeconds + waitSecondsOf(input)) * 1000, timerMsMax),
      signal: call.signal,
      isAppend: route.operation.effect === 'append',
    };
    const outcome = await sendRepeatedly(senders, request, { isClosed: () => isClosed, waitsForReturn });
    if ('failure' in outcome) throw toUnreachable(url, outcome.words);
    return toAnswer(outcome, url);
  }

  function toHeaders(route: Route, { agent, idempotencyKey }: Call): OutgoingHttpHeaders {
    if (!route.isWrite) {
      const headers = route.operation.method === 'POST' ? askHeaders : readHeaders;
      return agent === undefined ? headers : { ...headers, ...toAgentHeader(agent) };
    }
    if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
    return {
      ...writeHeaders,
      ...toAgentHeader(agent),
      [headerNames.idempotencyKey]: idempotencyKey ?? nextKey(),
    };
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

/** A timer set for longer fires at once. */
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
  // Node writes headers as latin1, so the bytes of the secret arrive unchanged.
  if (!secret) return {};
  return { [headerNames.writeSecret]: Buffer.from(toSentSecret(secret), 'utf8').toString('latin1') };
}
