// A load generator on bare sockets: it costs little, so that what is measured is the server.
import { connect } from 'node:net';

/**
 * Keeps so many connections busy, each with one request at a time, and tells how many were answered a second and how
 * long they took. `toRequest(connection, count)` gives the bytes of the next request.
 */
export async function runLoad({ port, connections, seconds, toRequest, warmUpSeconds = 0.25 }) {
  const latencies = [];
  let failures = 0;
  const startedAt = performance.now() + warmUpSeconds * 1000;
  const endsAt = startedAt + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, (_, index) =>
      keepBusy({
        port,
        toRequest: (count) => toRequest(index, count),
        until: endsAt,
        onAnswer: (status, sentAt, now) => {
          if (status >= 300) failures += 1;
          else if (sentAt >= startedAt) latencies.push(now - sentAt);
        },
        onBroken: () => {
          failures += 1;
        },
      }),
    ),
  );
  // A server that fails or has died is not slow, and must not pass for it.
  if (latencies.length === 0 || failures > latencies.length / 100) {
    throw new Error(`${failures} requests to port ${port} failed and ${latencies.length} were answered`);
  }
  return { perSecond: latencies.length / seconds, ...toPercentiles(latencies), failures };
}

export function toPercentiles(latencies) {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The bytes of a request on a kept connection. */
export function toRequestBytes(method, path, body, headers = {}) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1'];
  if (text) lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(text)}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

/** One connection after the other; resolves once the time is over and the last answer is in. */
async function keepBusy({ until, onBroken, ...connection }) {
  while (performance.now() < until) {
    await keepConnectionBusy({ until, ...connection }).catch(onBroken);
  }
}

function keepConnectionBusy({ port, toRequest, until, onAnswer }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let count = 0;
    let sentAt = 0;
    const send = () => {
      sentAt = performance.now();
      if (sentAt >= until) return socket.end();
      socket.write(toRequest(count));
      count += 1;
    };
    const answered = (status) => {
      onAnswer(status, sentAt, performance.now());
      send();
    };
    socket.on('connect', send);
    socket.on('data', createAnswerReader(answered));
    socket.on('error', reject);
    socket.on('close', resolve);
  });
}

/** Calls back with the status of each answer once all of it arrived. */
export function createAnswerReader(onAnswer) {
  let head = '';
  let bytesLeft = -1;
  let status = 0;
  return (chunk) => {
    if (bytesLeft >= 0) {
      bytesLeft -= chunk.length;
    } else {
      head += chunk.latin1Slice();
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      status = Number(head.slice(9, 12));
      const length = /content-length: (\d+)/i.exec(head.slice(0, end))?.[1];
      bytesLeft = Number(length) - (head.length - end - 4);
      head = '';
    }
    if (bytesLeft > 0) return;
    bytesLeft = -1;
    onAnswer(status);
  };
}
