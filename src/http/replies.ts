import { BusError } from '../contract/errors.ts';
import { isObject } from '../contract/json.ts';
import type { Reply } from './send.ts';

/**
 * Turns the response of a bus into the result of the operation or into its refusal.
 *
 * Responses of other versions and other kinds of bus are passed on whole: nothing is dropped, and no code is
 * guessed.
 */
export function toAnswer(reply: Reply, url: string): object {
  const isSuccess = reply.status >= 200 && reply.status < 300;
  if (isSuccess && reply.text.trim() === '') return { ok: true };
  const value = parse(reply.text);
  if (value === undefined) throw toStranger(reply, url);
  if (!isSuccess) throw toStatedRefusal(reply.status, value);
  if (value.ok === false) throw toFailedSuccess(reply.status, value);
  return value;
}

type JsonObject = Readonly<Record<string, unknown>>;

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function toStatedRefusal(status: number, { detail, code, data }: JsonObject): BusError {
  return new BusError({
    status,
    detail: toDetail(detail) ?? `the bus answered with status ${status} and gave no reason`,
    code: typeof code === 'string' ? code : undefined,
    data: isObject(data) ? data : toData(detail),
  });
}

/** Some report a failure in the body only. Keep whatever else they say about it. */
function toFailedSuccess(status: number, value: JsonObject): BusError {
  const reason = toDetail(value.detail ?? value.error ?? value.message) ?? 'it gave no reason';
  return new BusError({
    status,
    detail: `the bus answered that it was not done: ${reason}`,
    code: typeof value.code === 'string' ? value.code : undefined,
    data: isObject(value.data) ? value.data : value,
  });
}

/** FastAPI sends a list of faults, or any other value, where others send a sentence. */
function toDetail(detail: unknown): string | undefined {
  if (detail === undefined || detail === null || detail === '') return undefined;
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail) && detail.length > 0) return detail.map(toFault).join('; ');
  return JSON.stringify(detail);
}

function toFault(fault: unknown): string {
  if (!isObject(fault) || typeof fault.msg !== 'string')
    return typeof fault === 'string' ? fault : JSON.stringify(fault);
  return Array.isArray(fault.loc) ? `${fault.loc.join('.')}: ${fault.msg}` : fault.msg;
}

function toData(detail: unknown): JsonObject | undefined {
  return typeof detail === 'object' && detail !== null ? { detail } : undefined;
}

function toStranger({ status, contentType, location, text }: Reply, url: string): BusError {
  const type = contentType === '' ? 'no content type' : contentType;
  const start = text.replace(/\s+/g, ' ').trim().slice(0, 80);
  const shown = location === undefined ? `it begins '${start}'` : `it points to ${location}`;
  const found = text.trim() === '' && location === undefined ? 'it is empty' : shown;
  const detail = `the bus answered with something other than JSON (status ${status}, ${type}; ${found}): check that ${url} is the address of a bus`;
  return new BusError({ status, detail });
}
