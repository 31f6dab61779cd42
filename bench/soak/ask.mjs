// Plain HTTP over kept connections, and the patience that a client needs while its bus is being killed.
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const retryMilliseconds = 15;

/** Asks once. Answers undefined when the connection broke: whether the bus did it nobody knows then. */
export function askOnce({ port, method, path, body, key, agent }) {
  return new Promise((resolve) => {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
      ...(key && { 'idempotency-key': key }),
    };
    const options = { host: '127.0.0.1', port, method, path: `/api/bus${path}`, headers, agent };
    const asked = request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve(toReply(response.statusCode, Buffer.concat(chunks).toString())));
      response.on('error', () => resolve(undefined));
    });
    asked.on('error', () => resolve(undefined));
    asked.end(bytes);
  });
}

/** Asks the same again until there is an answer that says what was done. */
export async function askUntilAnswered(asked, isOver) {
  for (;;) {
    const reply = await askOnce(asked());
    if (reply && reply.status !== 503) return reply;
    if (isOver()) throw new Error('the run ended before an answer came');
    await pause(retryMilliseconds);
  }
}

export function createAgent() {
  return new Agent({ keepAlive: true });
}

function toReply(status, text) {
  try {
    return { status, text, json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
