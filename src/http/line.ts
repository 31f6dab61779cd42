import type { Socket } from 'node:net';
import { type BusError, toBusError } from '../contract/errors.ts';
import type { Exchange } from './answers.ts';

/**
 * Serves the requests of one connection one after the other, as their answers must go out: one that was sent before
 * an earlier one was answered waits for its turn. Of those only a few may stand behind another. Once some were
 * refused, their answers lie in the way and Node reads no more of that connection.
 */
export function createLine({
  requestsInLineMax,
  serve,
  refuse,
}: Readonly<{
  requestsInLineMax: number;
  serve: (exchange: Exchange) => void;
  refuse: (exchange: Exchange, refusal: BusError) => void;
}>) {
  const inLine = new WeakMap<Socket, number>();

  function standInLine(exchange: Exchange): void {
    const { socket } = exchange.request;
    const count = inLine.get(socket) ?? 0;
    if (count >= requestsInLineMax) {
      refuse(exchange, toTooMany(requestsInLineMax));
      return;
    }
    inLine.set(socket, count + 1);
    exchange.response.once('socket', () => {
      inLine.set(socket, (inLine.get(socket) ?? 0) - 1);
      serve(exchange);
    });
  }

  return (exchange: Exchange): void => {
    if (exchange.response.socket) serve(exchange);
    else standInLine(exchange);
  };
}

function toTooMany(limit: number): BusError {
  const detail = `${limit} requests stand before this one on the connection: send it once they are answered, or on another`;
  return toBusError('too_many', detail, { limit, retry_after_s: 1 });
}
