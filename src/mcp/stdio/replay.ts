import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { RawMessage } from '../listening.ts';

/**
 * Tells a server what was said before it was there: it comes to know the client, and stands where it would stand if it
 * had answered itself. Its answers to that are dropped, because the client has them.
 */
export function replayAnswered(transport: Transport, answered: readonly RawMessage[]): void {
  const ids = new Set<unknown>(answered.flatMap(({ id }) => (id === undefined ? [] : [id])));
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    const isAnswer = !('method' in message) && ids.delete(message.id);
    return isAnswer ? Promise.resolve() : send(message, options);
  };
  for (const message of answered) transport.onmessage?.(message as JSONRPCMessage);
}
