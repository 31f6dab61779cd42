import type { Transport } from '@modelcontextprotocol/server';
import type { RawMessage } from '../arguments.ts';
import { mayWait, readListenedUris } from '../listening.ts';

/** The client's requests that have no response yet. */
export type Unanswered = Readonly<{
  /** Resolves when all requests have a response, except those that wait for something, or when the time is over. */
  settled(milliseconds: number): Promise<void>;
}>;

/** Sees every message in both directions. */
export function observeUnanswered(transport: Transport): Unanswered {
  const ids = new Set<unknown>();
  let onSettled: (() => void) | undefined;
  const { onmessage } = transport;
  const send = transport.send.bind(transport);

  function settle(id: unknown): void {
    ids.delete(id);
    if (ids.size === 0) onSettled?.();
  }

  transport.onmessage = (message, extra) => {
    const { id, method, params }: RawMessage = message;
    if (method === 'notifications/cancelled') settle(params?.requestId);
    else if (id !== undefined && method !== undefined && !isWaiting(message)) ids.add(id);
    onmessage?.(message, extra);
  };

  transport.send = (message, options) => {
    const sent = send(message, options);
    if (!('method' in message)) settle(message.id);
    return sent;
  };

  return {
    settled: (milliseconds) =>
      new Promise((resolve) => {
        if (ids.size === 0) return resolve();
        const timer = setTimeout(resolve, milliseconds);
        onSettled = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}

function isWaiting(message: RawMessage): boolean {
  return mayWait(message) || readListenedUris(message) !== undefined;
}
