import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type BusError, toBusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import { type Logger, toHead, toHeaders, toRefusalText } from './answers.ts';
import type { Bounds } from './bounds.ts';
import { closeAfter } from './closing.ts';

export type ConnectionsOptions = Pick<Bounds, 'connectionsMax' | 'answerBytesHeldMax'> &
  Readonly<{ server: Server; log: Logger; nextId: () => string }>;

const lookMilliseconds = 250;
const sweepMillisecondsMin = 100;
/**
 * The largest response: the MCP server sends a page twice, once inside quotes, which makes three times the size of
 * its bodies.
 */
const answerBytesMost = 3 * limits.pageBytesMax;
/** How many refused connections still get an explanation. Beyond that they are closed without one. */
const refusedMax = 1_024;

/** All open connections: limits how many there are, and how much of their responses they may leave unread. */
export function createConnections(options: ConnectionsOptions) {
  const { server, log, nextId, connectionsMax, answerBytesHeldMax } = options;
  const sockets = new Set<Socket>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  let bytesHeld = 0;
  let answersSince = 0;

  server.maxConnections = connectionsMax + refusedMax;
  server.on('connection', (socket: Socket) => {
    if (sockets.size >= connectionsMax) makeRoom();
    if (sockets.size >= connectionsMax) return refuse(socket, nextId());
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  /** An idle connection that waits for its next request is closed in favour of one that has a request. */
  function makeRoom(): void {
    const nowMs = performance.now();
    if (nowMs - sweptAtMs < sweepMillisecondsMin) return;
    sweptAtMs = nowMs;
    server.closeIdleConnections();
    for (const socket of sockets) if (socket.destroyed) sockets.delete(socket);
  }

  function look(): void {
    bytesHeld = 0;
    answersSince = 0;
    for (const { writableLength } of sockets) bytesHeld += writableLength;
  }

  /**
   * Throws a refusal when readers have left too much unread, before another response is even made. With thousands of
   * connections the check itself costs time. So it only runs when the responses since the last check could have
   * filled the room.
   */
  function checkRoom(): void {
    answersSince += 1;
    if (bytesHeld + answersSince * answerBytesMost > answerBytesHeldMax) look();
    if (bytesHeld > answerBytesHeldMax) throw toFull();
  }

  /** Frees enough room that the next callers are not refused at once. */
  function relieve(): void {
    look();
    if (bytesHeld <= answerBytesHeldMax) return;
    log.warn({ bytesHeld }, 'readers do not take their answers: those who hold most are cut off');
    for (const socket of [...sockets].sort((a, b) => b.writableLength - a.writableLength)) {
      if (bytesHeld <= answerBytesHeldMax / 2) return;
      bytesHeld -= socket.writableLength;
      socket.destroy();
    }
  }

  const looking = setInterval(relieve, lookMilliseconds).unref();
  server.once('close', () => clearInterval(looking));
  return { sockets: sockets as ReadonlySet<Socket>, checkRoom };
}

function refuse(socket: Socket, requestId: string): void {
  const detail = 'more connections are open than the bus takes; nothing was kept: repeat the call in 1 s';
  const refusal = toBusError('unavailable', detail, { retry_after_s: 1 });
  const text = toRefusalText(refusal);
  const headers = [...toHeaders(requestId, text), 'retry-after', '1', 'connection', 'close'];
  closeAfter(socket, toHead(refusal.status, headers) + text);
}

function toFull(): BusError {
  const detail =
    'readers have not taken as much of their answers as the bus can hold: repeat the call in 1 s';
  return toBusError('unavailable', detail, { retry_after_s: 1 });
}
