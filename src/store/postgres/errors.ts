import { BusError, toBusError } from '../../contract/errors.ts';
import { toUnavailable } from '../group-commit.ts';

export const stateReadOnly = '25006';

/**
 * Conditions that pass by themselves, or once an operator has fixed them, keyed by the first characters of their
 * SQLSTATE.
 */
const passingStates: Readonly<Record<string, string>> = {
  '08': 'the connection to the database broke',
  [stateReadOnly]: 'the database is read-only',
  '25P03': 'the database ended a transaction that took too long',
  '25P04': 'the database ended a transaction that took too long',
  '26000': 'the database lost a prepared statement: a pooler in front of it must be in session mode',
  '28': 'the database refused the credentials',
  '3D000': 'the database does not exist',
  '3F000': 'the schema of the bus is missing from the database',
  '40': 'the database rolled back the transaction',
  '42501': 'the role of the bus lacks a right in the database',
  '42703': 'a column of the bus is missing from the database',
  '42P01': 'a table of the bus is missing from the database',
  '53100': 'the disk of the database is full',
  '53300': 'the database has too many connections',
  '53': 'the database is out of resources',
  '55P03': 'the database is busy: the order lock was not free in time',
  '57014': 'the database canceled the statement',
  '57P': 'the database is shutting down or starting up',
  '58': 'the disk of the database failed',
  XX: 'the database is damaged',
};

/** No host of the URL could be used; the message gives the reason for each. */
export class NoHostError extends Error {
  constructor(reasons: readonly string[]) {
    super(`no host takes writes (${reasons.join('; ')})`);
    this.name = 'NoHostError';
  }
}

/** The database is reachable but cannot be used; the message says what to do. */
export class UnusableDatabaseError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnusableDatabaseError';
  }
}

/** Turns a condition that can pass into the refusal `unavailable`; returns any other failure unchanged. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof BusError) return error;
  const state = stateOf(error);
  if (state === undefined) return toUnavailable(`the database cannot be reached (${reasonOf(error)})`, 1);
  const known = findPassing(state);
  if (known === undefined) return error;
  // The operator needs to know which right or which table.
  const detail = state.startsWith('42') ? ` (${reasonOf(error)})` : '';
  return toUnavailable(`${known}${detail}`, 1);
}

/** The commit was sent, but its outcome is unknown. */
export function toUnknownOutcome(error: unknown): BusError {
  const detail =
    `the database did not say whether the write was kept (${reasonOf(error)}): ` +
    'repeat the call in 1 s with the same idempotency key, or check whether it was kept';
  return toBusError('unavailable', detail, { retry_after_s: 1 });
}

/** The SQLSTATE: five characters by which the server names a condition. Errors of the client library have none. */
export function stateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined;
}

/** The cause in a few words, or its code where it has one. */
export function reasonOf(error: unknown): string {
  const { code, message, syscall, path } = (error ?? {}) as Readonly<Record<string, unknown>>;
  // The URL can name files for TLS. If one is missing, the code alone would not say which.
  if (syscall === 'open') return `the file ${path} cannot be read (${code})`;
  if (stateOf(error) === undefined && typeof code === 'string') return code;
  return typeof message === 'string' && message !== '' ? message : String(error);
}

function findPassing(state: string): string | undefined {
  for (const length of [5, 3, 2]) {
    const known = passingStates[state.slice(0, length)];
    if (known) return known;
  }
  return undefined;
}
