import { randomUUID } from 'node:crypto';
import type { JSONRPCMessage, Server, Transport } from '@modelcontextprotocol/server';

/** Who waits for the answer of a client, by the id that the question had on the wire. */
const asking = new Map<unknown, (answer: JSONRPCMessage) => void>();

/**
 * Lets a server that answers a single request ask the client on the way, as servers of the era of 2025 may. The
 * answer comes by a request of its own, for which another server was made; that one passes it on to who asked.
 *
 * The bus never asks its clients, so its transport does without this.
 */
export function routeAnswers(server: Server): void {
  const connect = server.connect.bind(server);
  server.connect = async (transport: Transport) => {
    await connect(transport);
    const deliver = transport.onmessage;
    const send = transport.send.bind(transport);
    transport.onmessage = (message, extra) => {
      const passOn = 'method' in message ? undefined : asking.get(message.id);
      if (passOn) passOn(message);
      else deliver?.(message, extra);
    };
    transport.send = (message, options) => {
      if (!('method' in message && 'id' in message)) return send(message, options);
      const { id } = message;
      const wireId = randomUUID();
      asking.set(wireId, (answer) => {
        asking.delete(wireId);
        deliver?.({ ...answer, id } as JSONRPCMessage);
      });
      return send({ ...message, id: wireId }, options);
    };
  };
}
