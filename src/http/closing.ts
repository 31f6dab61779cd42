import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Shuts down a server. Running calls finish, idle connections close at once, and whatever remains after the grace
 * period is cut off.
 */
export function createCloser(
  server: Server,
  sockets: ReadonlySet<Socket>,
): (graceMs: number) => Promise<void> {
  return async (graceMs) => {
    if (!server.listening) return;
    const done = new Promise((resolve) => server.close(resolve));
    // Browsers open connections in advance. Node counts a connection on which nothing has arrived as late, not as
    // idle.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    // A response written before the close left its connection open, and nothing else closes that one.
    const sweep = setInterval(() => server.closeIdleConnections(), 25);
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    await done;
    clearInterval(sweep);
    clearTimeout(force);
  };
}

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
