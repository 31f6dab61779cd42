import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { listenTo, readListenedUris } from '../listening.ts';
import type { Watcher } from '../watcher.ts';

/**
 * Finds out which resources `subscriptions/listen` requests name. The library handles those requests itself and
 * passes on only updates that somebody subscribed to, but it does not say which resources those are.
 *
 * A listening request is held back until no later change can be missed, and the messages behind it wait with it.
 */
export function observeListening(transport: Transport, watcher: Watcher): void {
  const urisOf = new Map<unknown, readonly string[]>();
  const deliver = transport.onmessage;
  let turn: Promise<void> | undefined;

  async function listen(id: unknown, uris: readonly string[]): Promise<boolean> {
    urisOf.set(id, uris);
    const refusal = await listenTo(watcher, transport, [...urisOf.values()].flat());
    if (!refusal) return true;
    urisOf.delete(id);
    const { code, message, data } = refusal;
    await transport.send({ jsonrpc: '2.0', id, error: { code, message, data } } as JSONRPCMessage);
    return false;
  }

  async function stopListening(id: unknown): Promise<boolean> {
    if (urisOf.delete(id)) await listenTo(watcher, transport, [...urisOf.values()].flat());
    return true;
  }

  /** Undefined for a message that changes nothing here and does not have to wait. */
  function note(message: JSONRPCMessage): Promise<boolean> | undefined {
    const uris = readListenedUris(message as never);
    if (uris && 'id' in message) return listen(message.id, uris);
    const isCancelling = 'method' in message && message.method === 'notifications/cancelled';
    return isCancelling && urisOf.size > 0 ? stopListening(message.params?.requestId) : undefined;
  }

  transport.onmessage = (message, extra) => {
    const noted = turn ? turn.then(() => note(message) ?? true) : note(message);
    if (!noted) return deliver?.(message, extra);
    const passed = noted
      .then((isPassed) => {
        if (isPassed) deliver?.(message, extra);
      })
      .catch(() => {})
      .finally(() => {
        if (turn === passed) turn = undefined;
      });
    turn = passed;
  };
}
