import type { Socket } from 'node:net';
import { type BusError, toBusError } from '../contract/errors.ts';
import type { Exchange } from './answers.ts';

/**
 * Serves the requests of one connection one after the other, because their answers must go out in order. A client may
 * send the next request before it has the answer to the last one; such a request is queued, and only a few may be. When
 * more are refused, their answers queue up too, and then Node stops reading that connection.
 */
export function createRequestQueue({
  requestsInLineMax,
  serve,
  refuse,
}: Readonly<{
  requestsInLineMax: number;
  serve: (exchange: Exchange) => void;
  refuse: (exchange: Exchange, refusal: BusError) => void;
}>) {
  const queued = new WeakMap<Socket, number>();

  function enqueue(exchange: Exchange): void {
    const { socket } = exchange.request;
    const count = queued.get(socket) ?? 0;
    if (count >= requestsInLineMax) {
      refuse(exchange, toTooMany(requestsInLineMax));
      return;
    }
    queued.set(socket, count + 1);
    // Node hands the connection to a response once the one before it has gone out.
    exchange.response.once('socket', () => {
      queued.set(socket, (queued.get(socket) ?? 0) - 1);
      serve(exchange);
    });
  }

  return (exchange: Exchange): void => {
    if (exchange.response.socket) serve(exchange);
    else enqueue(exchange);
  };
}

function toTooMany(limit: number): BusError {
  const detail = `${limit} requests stand before this one on the connection: send it once they are answered, or on another`;
  return toBusError('too_many', detail, { limit, retry_after_s: 1 });
}
