import type { Bus, ErrorCode } from './operations.js';

export type * from './operations.js';

export interface ClientOptions {
  /** Where the bus is, with its base path: `http://127.0.0.1:8100/api/bus`. */
  readonly baseUrl: string;
  /** Per request, on top of any `wait_s`; 10 when left out. */
  readonly timeoutSeconds?: number | undefined;
  /** Sent with writes only. */
  readonly writeSecret?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Waits some seconds for a bus that went away under a call; true when left out. */
  readonly waitsForReturn?: boolean | undefined;
}

export interface Client extends Bus {
  /** Lets go of the connections. */
  close(): Promise<void>;
}

/**
 * A bus that is somewhere else. One call is one HTTP request over a kept connection.
 *
 * Every write carries an idempotency key, so that a call whose connection broke before the answer can be repeated
 * without doing anything twice: a bus that was restarted meanwhile is not noticed.
 */
export function createClient(options: ClientOptions): Client;

/** What the bus answered instead of doing the operation. `code` is absent when a bus of another make gave none. */
export class BusError extends Error {
  readonly status: number;
  /** A sentence: what happened, then what to do. */
  readonly detail: string;
  readonly code: string | undefined;
  /** `ErrorData[code]`, from a bus of this make. */
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(answer: {
    readonly status: number;
    readonly detail: string;
    readonly code?: string | undefined;
    readonly data?: Readonly<Record<string, unknown>> | undefined;
  });
}

/** No bus answered at the address: refused, timed out, no such host, malformed URL. */
export class BusUnreachableError extends Error {
  readonly url: string;

  constructor(message: string, url: string);
}

/** Whether this is the refusal with that code. */
export function isRefusal(error: unknown, code: ErrorCode): error is BusError;
