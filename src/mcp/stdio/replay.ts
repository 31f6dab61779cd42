import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { RawMessage } from '../arguments.ts';

/**
 * Replays what was said before the server was loaded, so that it knows the client and is in the same state as if it
 * had responded itself. Its responses are dropped, because the client already has them.
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
