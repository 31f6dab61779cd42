import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { waitSecondsOf } from '../contract/input.ts';
import type { RawMessage } from './arguments.ts';
import { toProtocolError } from './resources.ts';
import { checkUris } from './subscriptions.ts';
import type { Watcher } from './watcher.ts';

/** The resources that a `subscriptions/listen` request names; undefined for every other message. */
export function readListenedUris(message: RawMessage | undefined): readonly string[] | undefined {
  if (message?.method !== 'subscriptions/listen') return undefined;
  const { notifications } = (message.params ?? {}) as { notifications?: { resourceSubscriptions?: unknown } };
  const uris = notifications?.resourceSubscriptions;
  return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
}

/** Whether the request is a call that may wait for something. */
export function mayWait(message: RawMessage | undefined): boolean {
  const given = message?.params?.arguments as { wait_s?: unknown } | null | undefined;
  return (
    waitSecondsOf({ wait_s: typeof given?.wait_s === 'string' ? Number(given.wait_s) : given?.wait_s }) > 0
  );
}

/**
 * Subscribes the holder to these resources. Once it resolves, no later change is missed. Returns the refusal if that
 * is not possible.
 */
export async function listenTo(
  watcher: Watcher,
  holder: unknown,
  uris: readonly string[],
): Promise<ProtocolError | undefined> {
  try {
    checkUris(uris);
    await watcher.set(holder, uris);
    return undefined;
  } catch (error) {
    const known = toProtocolError(error);
    if (known instanceof ProtocolError) return known;
    const message = 'the change feed cannot be read now: try again in a moment';
    return new ProtocolError(ProtocolErrorCode.InternalError, message);
  }
}
