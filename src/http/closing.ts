import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Ends a server: what runs is finished, what is idle goes at once, what is left after the grace is cut off. */
export function createCloser(
  server: Server,
  sockets: ReadonlySet<Socket>,
): (graceMs: number) => Promise<void> {
  return async (graceMs) => {
    if (!server.listening) return;
    const done = new Promise((resolve) => server.close(resolve));
    // Browsers open connections in advance; to Node one on which nothing came yet is not idle but late.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    // An answer that was written before the close left its connection open; nothing else ends that one.
    const sweep = setInterval(() => server.closeIdleConnections(), 25);
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    await done;
    clearInterval(sweep);
    clearTimeout(force);
  };
}
