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
