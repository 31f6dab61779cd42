import { z } from 'zod';
import { type OperationName, operations } from '../contract/contract.ts';
import { checkInput, type InputIssue, toInvalidInput } from '../contract/input.ts';
import { isObject } from '../contract/json.ts';
import { isWrite, type Operation } from '../contract/operation.ts';
import { fieldKindOf, fromText } from '../contract/text.ts';

export const basePath = '/api/bus';

export const headerNames = {
  writeSecret: 'x-bus-secret',
  idempotencyKey: 'idempotency-key',
  requestId: 'x-request-id',
  repeats: 'x-bus-repeats',
} as const;

/** Sent with every response: this bus honours idempotency keys, so its clients may repeat a post. */
export const safeRepeats = 'safe';

/** An operation on the wire: which of its fields go into the path, and where the rest goes. */
export type Route = Readonly<{
  name: OperationName;
  operation: Operation;
  isWrite: boolean;
  pathFields: readonly string[];
  /** The part of the input that travels in the path. */
  pathInput: z.ZodObject;
}>;

export type InputObject = Record<string, unknown>;

export const routes: readonly Route[] = operations.map(([name, operation]) => {
  const pathFields = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field as string);
  const shape = Object.fromEntries(
    pathFields.map((field) => [field, operation.input.shape[field] as z.ZodType]),
  );
  return { name, operation, isWrite: isWrite(operation), pathFields, pathInput: z.strictObject(shape) };
});

/** Splits an input into the path with its query, and the body. Refuses only what a path or a query cannot carry. */
export function toWire(route: Route, input: unknown): { path: string; body: string | undefined } {
  if (!isObject(input)) throw toInvalidInput([{ field: 'input', message: 'must be a JSON object' }]);
  const rest = { ...input };
  for (const field of route.pathFields) delete rest[field];
  const path = toPath(route, input);
  if (route.operation.method === 'POST') return { path, body: toBody(rest) };
  const query = toQuery(route, rest);
  return { path: query === '' ? path : `${path}?${query}`, body: undefined };
}

/** The fields from the path, given the path segments as they arrived. */
export function fromPath(route: Route, segments: readonly string[]): InputObject {
  const entries = route.pathFields.map((field, index) => {
    const value = decodePercent(segments[index] as string);
    if (value === undefined) throw toInvalidInput([{ field, message: 'is not valid percent-encoding' }]);
    return [field, value] as const;
  });
  const input = fromText(route.pathInput, entries);
  checkPathInput(route, input);
  return input;
}

/** The fields from the query of a GET, given the text after the question mark. */
export function fromQuery(route: Route, query: string): InputObject {
  const entries = readQuery(query);
  const inPath = entries.filter(([field]) => route.pathFields.includes(field));
  if (inPath.length > 0) throw toInvalidInput(inPath.map(([field]) => ({ field, message: belongsInPath })));
  return fromText(route.operation.input, entries);
}

/** The fields from the body of a POST, given its JSON value. */
export function fromBody(route: Route, body: unknown): InputObject {
  if (!isObject(body)) throw toInvalidInput([{ field: 'input', message: 'must be a JSON object' }]);
  const inPath = route.pathFields.filter((field) => Object.hasOwn(body, field));
  if (inPath.length > 0) throw toInvalidInput(inPath.map((field) => ({ field, message: belongsInPath })));
  return body;
}

/** The query as decoded fields and values. A field that is repeated or badly encoded is refused. */
export function readQuery(query: string): (readonly [string, string])[] {
  const entries: (readonly [string, string])[] = [];
  const seen = new Set<string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [field, value] = splitPair(pair);
    if (field === undefined || value === undefined) {
      throw toInvalidInput([{ field: 'query', message: 'is not valid percent-encoding' }]);
    }
    if (seen.has(field)) throw toInvalidInput([{ field, message: 'is given more than once' }]);
    seen.add(field);
    entries.push([field, value]);
  }
  return entries;
}

const belongsInPath = 'belongs in the path, not beside it';

function toPath(route: Route, input: InputObject): string {
  if (route.pathFields.length === 0) return route.operation.path;
  checkPathInput(route, Object.fromEntries(route.pathFields.map((field) => [field, input[field]])));
  return route.operation.path.replace(/\{(\w+)\}/g, (_, field) => encodeURIComponent(String(input[field])));
}

/**
 * Both ends check these fields before building or following a path: `..` or an empty text would lead to another
 * route.
 */
function checkPathInput(route: Route, input: InputObject): void {
  const result = checkInput({ input: route.pathInput }, input);
  if ('issues' in result) throw toInvalidInput(result.issues);
}

function toBody(rest: InputObject): string {
  try {
    return JSON.stringify(rest);
  } catch {
    throw toInvalidInput([{ field: 'input', message: 'cannot be written as JSON' }]);
  }
}

function toQuery(route: Route, rest: InputObject): string {
  const entries = Object.entries(rest).filter(([, value]) => value !== undefined);
  const issues = entries.flatMap(([field, value]) => toTextIssue(route, field, value));
  if (issues.length > 0) throw toInvalidInput(issues);
  return entries
    .map(([field, value]) => `${encodeURIComponent(field)}=${encodeURIComponent(String(value))}`)
    .join('&');
}

/** In a query the number 5 and the text "5" look the same, so only the sender can see that the type is wrong. */
function toTextIssue(route: Route, field: string, value: unknown): InputIssue[] {
  const schema = route.operation.input.shape[field] as z.ZodType | undefined;
  if (schema && typeof value !== typeofKind[fieldKindOf(schema)]) {
    return [{ field, message: `must be ${kindNames[fieldKindOf(schema)]}` }];
  }
  const isWellFormed = field.isWellFormed() && String(value).isWellFormed();
  return isWellFormed ? [] : [{ field, message: 'must not contain NUL or half of a surrogate pair' }];
}

const typeofKind = { text: 'string', number: 'number', boolean: 'boolean', list: 'object' } as const;
const kindNames = { text: 'a string', number: 'a number', boolean: 'true or false', list: 'a list' } as const;

function splitPair(pair: string): [string | undefined, string | undefined] {
  const text = pair.replaceAll('+', ' ');
  const equals = text.indexOf('=');
  if (equals < 0) return [decodePercent(text), ''];
  return [decodePercent(text.slice(0, equals)), decodePercent(text.slice(equals + 1))];
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
