import type { RawMessage } from './listening.ts';

const marker = 'no object';

/**
 * Lets a call through whose arguments are no object: the library would refuse it in the way of the protocol, which says
 * nothing to the model that can mend them.
 */
export function withObjectArguments<Message extends RawMessage | undefined>(message: Message): Message {
  const given = message?.method === 'tools/call' ? message.params?.arguments : undefined;
  if (!message || given === undefined || isObject(given)) return message;
  return { ...message, params: { ...message.params, arguments: { [marker]: given } } };
}

/** Whether these are the arguments of such a call. */
export function areNoObject(given: Readonly<Record<string, unknown>> | undefined): boolean {
  return given !== undefined && Object.hasOwn(given, marker);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
