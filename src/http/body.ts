import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BusError, toBusError } from '../contract/errors.ts';
import { toInvalidInput } from '../contract/input.ts';
import { parseJson } from '../contract/json.ts';

/**
 * Reads a body as JSON and passes on its value, or the refusal. An empty body counts as an empty object, so that the
 * refusal names the missing fields.
 */
export function readJson(
  request: IncomingMessage,
  response: ServerResponse,
  bytesMax: number,
  done: (refusal: BusError | undefined, value: unknown) => void,
): void {
  const refusal = checkHead(request, bytesMax);
  if (refusal || bodyLengthOf(request) === 0) {
    done(refusal, {});
    return;
  }
  if (request.headers.expect !== undefined) response.writeContinue();
  collect(request, bytesMax, (body) => {
    const value = body ? parse(body) : tooLarge(bytesMax);
    if (value instanceof BusError) done(value, undefined);
    else done(undefined, value);
  });
}

function checkHead(request: IncomingMessage, bytesMax: number): BusError | undefined {
  const length = bodyLengthOf(request);
  if (length > bytesMax && length !== Number.POSITIVE_INFINITY) return tooLarge(bytesMax);
  return length === 0 || isJsonType(request.headers['content-type']) ? undefined : wrongType();
}

/** The announced length of the body; infinity when the sender does not say. */
export function bodyLengthOf({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY;
  return headers['content-length'] === undefined ? 0 : Number(headers['content-length']);
}

/** The whole body, or undefined as soon as it is too long. A sender that disconnects gets no response. */
function collect(request: IncomingMessage, bytesMax: number, done: (body: Buffer | undefined) => void): void {
  let first: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    if (length > bytesMax) return;
    length += chunk.length;
    if (length > bytesMax) return done(undefined);
    if (!first) first = chunk;
    else if (!chunks) chunks = [first, chunk];
    else chunks.push(chunk);
  });
  request.on('end', () => {
    // The request was refused while it arrived, so ignore it.
    if (request.socket.writableEnded) return;
    if (length <= bytesMax) done(chunks ? Buffer.concat(chunks, length) : (first ?? Buffer.alloc(0)));
  });
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) return toInvalidInput([{ field: 'input', message: 'is not UTF-8' }]);
  const json = parseJson(body.toString('utf8'));
  return 'fault' in json ? toInvalidInput([{ field: 'input', message: json.fault }]) : json.value;
}

function isJsonType(contentType: string | undefined): boolean {
  return (
    contentType === 'application/json' ||
    // Many spaces make the pattern slow, so check the length first.
    (contentType !== undefined && contentType.length <= 100 && jsonTypePattern.test(contentType))
  );
}

const jsonTypePattern = /^application\/json\s*(;\s*charset\s*=\s*("utf-?8"|utf-?8)\s*)?;?\s*$/i;

function wrongType(): BusError {
  return toInvalidInput([
    { field: 'content-type', message: 'must be application/json, and the body JSON in UTF-8' },
  ]);
}

function tooLarge(bytesMax: number): BusError {
  const detail = `the request is larger than the ${bytesMax} bytes the bus reads: store the text elsewhere and post where it is`;
  return toBusError('too_large', detail, { limit_bytes: bytesMax });
}
