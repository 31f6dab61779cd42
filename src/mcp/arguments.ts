import type { z } from 'zod';
import type { InputIssue } from '../contract/input.ts';
import { isObject } from '../contract/json.ts';
import { fromText } from '../contract/text.ts';

/** A JSON-RPC message as received; nothing about it is certain. */
export type RawMessage = Readonly<{
  id?: unknown;
  method?: unknown;
  params?: Readonly<Record<string, unknown>>;
}>;

type Arguments = Readonly<Record<string, unknown>>;

const marker = 'fault of the arguments';

/**
 * Treats `null` for params or arguments as absent, and accepts calls whose arguments are not an object. The library
 * would refuse those as protocol errors or drop parts of them, and neither tells the model anything it can fix.
 */
export function withPlainParams<Message>(message: Message): Message {
  if (!isObject(message)) return message;
  const { params, ...rest } = message as RawMessage & Message;
  if (params === null) return rest as Message;
  if (message.method !== 'tools/call' || !isObject(params) || !('arguments' in params)) return message;
  const { arguments: given, ...others } = params;
  if (given === null) return { ...message, params: others };
  const fault = findFault(given);
  return fault ? { ...message, params: { ...others, arguments: { [marker]: fault } } } : message;
}

/** What is wrong with arguments that were let through this way. */
export function faultOf(given: Arguments | undefined): InputIssue | undefined {
  return given && Object.hasOwn(given, marker) ? (given[marker] as InputIssue) : undefined;
}

/**
 * Reads arguments the way clients send them. Some fill every optional field with `null` or an empty text, some send
 * numbers and booleans as text, and some insist on at least one argument for a tool that takes none. A model can
 * correct itself, but a client cannot. Everything else stays as it is, and the schema refuses it by name.
 */
export function toTyped(
  schema: z.ZodObject,
  given: Arguments,
  /** The field that this server fills in itself, so callers may omit it. */
  filledField: string | undefined,
): Arguments {
  if (Object.keys(schema.shape).length === 0) return {};
  const entries = Object.entries(given).flatMap(([field, value]) => {
    if (!Object.hasOwn(schema.shape, field)) return [[field, value]];
    if (value === null || value === '') {
      const isOptional =
        field === filledField || (schema.shape[field] as z.ZodType).safeParse(undefined).success;
      return isOptional ? [] : [[field, value]];
    }
    return typeof value === 'string' ? Object.entries(fromText(schema, [[field, value]])) : [[field, value]];
  });
  return Object.fromEntries(entries);
}

function findFault(given: unknown): InputIssue | undefined {
  if (!isObject(given)) return { field: 'arguments', message: 'must be a JSON object' };
  return Object.hasOwn(given, '__proto__') ? { field: '__proto__', message: 'is not known here' } : undefined;
}
