import type { z } from 'zod';
import type { InputIssue } from '../contract/input.ts';
import { fromText } from '../contract/text.ts';
import type { RawMessage } from './listening.ts';

type Arguments = Readonly<Record<string, unknown>>;

const marker = 'fault of the arguments';

/**
 * Reads `null` for params or arguments as nothing, and lets a call through whose arguments are none at all: the library
 * would refuse it as a protocol error, or drop a part of it, and neither tells the model anything that it can fix.
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

/** What is wrong with arguments that were let through that way. */
export function faultOf(given: Arguments | undefined): InputIssue | undefined {
  return given && Object.hasOwn(given, marker) ? (given[marker] as InputIssue) : undefined;
}

/**
 * Reads arguments as clients send them. Some fill in every optional field with `null` or an empty text, some send
 * numbers and booleans as text, and some need at least one argument for a tool that takes none. A model could correct
 * itself, a client cannot. Everything else stays as it is, for the schema to refuse by name.
 */
export function toTyped(
  schema: z.ZodObject,
  given: Arguments,
  /** The field that this server fills in itself, so that it is optional for callers. */
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
