import type { Exchange } from './answers.ts';

/**
 * Acts once when the exchange is over, be it answered or left.
 *
 * A response that stands in line behind another one on the same connection is not told that the connection closed,
 * so the connection itself is asked too.
 */
export function onOver({ request, response }: Exchange, act: () => void): void {
  const { socket } = request;
  const onClose = () => {
    socket.off('close', onClose);
    response.off('close', onClose);
    act();
  };
  socket.on('close', onClose);
  response.on('close', onClose);
}
