import type { Socket } from 'node:net';

/**
 * Writes the last answer of a connection and closes it although the other side may still be sending.
 *
 * Closing at once would reset the connection, and a reset can take the answer away before it was read. So only our
 * direction ends at first, and what still comes is dropped for a moment.
 */
export function closeAfter(socket: Socket, answer: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(answer);
  let bytesLeft = lingerBytesMax;
  socket.on('data', (chunk: Buffer) => {
    bytesLeft -= chunk.length;
    if (bytesLeft < 0) socket.destroy();
  });
  socket.on('end', () => socket.destroy());
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

const lingerMs = 1_000;
const lingerBytesMax = 16 * 1024 * 1024;
