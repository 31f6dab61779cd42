import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type BusError, toBusError } from '../contract/errors.ts';
import { toInvalidInput } from '../contract/input.ts';
import { limits } from '../contract/limits.ts';
import { toHead, toHeaders, toRefusalText } from './answers.ts';
import { closeAfter } from './closing.ts';

/** Responds to something that is not a complete HTTP request. Node has no response object for that case. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, refusal } = toHttpRefusal(error.code);
  const text = toRefusalText(refusal);
  closeAfter(socket as Socket, toHead(status, [...toHeaders(requestId, text), 'connection', 'close']) + text);
}

/** These statuses come from HTTP, because no operation was reached that could have its own. */
function toHttpRefusal(code: string | undefined): { status: number; refusal: BusError } {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = `the headers are larger than the ${limits.headerBytesMax} bytes the bus reads: send fewer or shorter ones`;
    return { status: 431, refusal: toBusError('too_large', detail, { limit_bytes: limits.headerBytesMax }) };
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    const detail = `the chunk extensions are larger than the ${limits.headerBytesMax} bytes the bus reads: send none`;
    return { status: 413, refusal: toBusError('too_large', detail, { limit_bytes: limits.headerBytesMax }) };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const message = `did not arrive within ${limits.requestSecondsMax} seconds (its headers within ${limits.headerSecondsMax})`;
    return { status: 408, refusal: toInvalidInput([{ field: 'request', message }]) };
  }
  const message = 'is not well-formed HTTP/1.1, or ended before its announced length';
  return { status: 400, refusal: toInvalidInput([{ field: 'request', message }]) };
}
