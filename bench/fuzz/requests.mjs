// Raw bytes to the port of a bus, and what must not come back.
import { connect } from 'node:net';
import fc from 'fast-check';
import { rawRequests } from './arbitraries.mjs';

const batchSize = 40;
const answerMillisecondsMax = 15_000;

export async function fuzzRequests({ port, count, seed, progress }) {
  const statuses = new Map();
  let sent = 0;

  async function tryOne(bytes) {
    const status = await send(port, bytes);
    sent += 1;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (sent % 2_000 === 0) progress(`${sent.toLocaleString('en')} requests`);
    if (status === 'hung') throw new Error('no answer came, and no end');
    if (status >= 500) throw new Error(`it was answered ${status}`);
  }

  await fc.assert(
    fc.asyncProperty(fc.array(rawRequests, { minLength: batchSize, maxLength: batchSize }), async (batch) => {
      await Promise.all(batch.map(tryOne));
    }),
    { numRuns: Math.ceil(count / batchSize), seed, endOnFailure: true },
  );
  return { sent, statuses };
}

/**
 * The status of the first answer, or `closed` when the connection ended without one. Our direction ends after the
 * bytes, so that a request that was cut short is seen to be one.
 */
function send(port, bytes) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    const settle = (status) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(status);
    };
    const timer = setTimeout(() => settle('hung'), answerMillisecondsMax);
    socket.on('connect', () => socket.end(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      // What comes first may only be leave to go on.
      const status = /^(?:HTTP\/1\.1 100 [^\r]*\r\n\r\n)?HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status && status !== '100') settle(Number(status));
    });
    socket.on('error', () => settle('closed'));
    socket.on('close', () => settle('closed'));
  });
}
