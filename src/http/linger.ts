import type { Socket } from 'node:net';

/**
 * Writes the last response of a connection and closes it, although the client may still be sending.
 *
 * Closing at once would reset the connection, and a reset can destroy the response before the client reads it. So
 * first only our direction is closed, and incoming data is discarded for a moment.
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
