// Callers that wait: what they cost, and how soon they hear.
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createAnswerReader, runLoad, toPercentiles, toRequestBytes } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { startBus } from '../servers.mjs';

export const title = 'Waiting';

export async function run({ settings, progress, report }) {
  const server = await startBus({ store: settings.store });
  try {
    await measureWakeUp({ server, settings, progress, report });
    await measureCrowd({ server, settings, progress, report });
  } finally {
    await server.stop();
  }
}

/** From sending the post to the waiter's answer, over two connections. */
async function measureWakeUp({ server, settings, progress, report }) {
  progress('waking one waiter');
  const waiter = await openConnection(server.port);
  const poster = await openConnection(server.port);
  const latencies = [];
  let cursor = await readCursor(poster);
  for (let count = 0; count < (settings.isQuick ? 50 : 500); count += 1) {
    const woken = waiter.ask(
      toRequestBytes('GET', `/api/bus/messages?topic=wake&wait_s=30&since_id=${cursor}`),
    );
    await pause(2);
    const sentAt = performance.now();
    await poster.ask(toRequestBytes('POST', '/api/bus/message', { topic: 'wake', sender: 'b', body: 'up' }));
    await woken;
    latencies.push(performance.now() - sentAt);
    cursor += 1;
  }
  waiter.close();
  poster.close();
  const { p50, p99 } = toPercentiles(latencies);
  report({ name: 'post to waiter woken', ours: { p50, p99 }, target: settings.store && { p99AtMost: 50 } });
}

/** A post while thousands wait for something else, against the same post while nobody waits. */
async function measureCrowd({ server, settings, progress, report }) {
  const count = settings.isQuick ? 500 : 5_000;
  const measure = () =>
    runLoad({ port: server.port, connections: 1, seconds: settings.seconds, toRequest: () => post });
  let crowd = [];
  const before = server.residentBytes();
  let bytesEach = 0;
  const { alone, crowded } = await inTurn({
    rounds: settings.rounds,
    subjects: { alone: 0, crowded: count },
    progress: (what) => progress(`${count} idle waiters: ${what}`),
    measure: async (wanted) => {
      if (wanted > 0) {
        crowd = await openCrowd(server.port, wanted);
        await pause(500);
        bytesEach ||= (server.residentBytes() - before) / wanted;
      }
      const figures = await measure();
      for (const connection of crowd) connection.close();
      crowd = [];
      await pause(200);
      return figures;
    },
  });
  report({
    name: `post p50 with ${count.toLocaleString('en')} others waiting`,
    against: 'nobody waiting',
    ours: crowded,
    theirs: alone,
    ratio: crowded.p50 / alone.p50,
    target: { atMost: 1.5 },
  });
  report({ name: 'memory of an idle waiter', ours: { kilobytes: bytesEach / 1024 } });
}

const post = toRequestBytes('POST', '/api/bus/message', {
  topic: 'bench',
  sender: 'bench',
  body: 'hello world',
});

async function openCrowd(port, count) {
  const connections = [];
  for (let index = 0; index < count; index += 100) {
    const opened = await Promise.all(
      Array.from({ length: Math.min(100, count - index) }, () => openConnection(port)),
    );
    connections.push(...opened);
  }
  const request = toRequestBytes('GET', '/api/bus/messages?topic=quiet&since_id=0&wait_s=300');
  for (const connection of connections) connection.ask(request);
  return connections;
}

async function readCursor(connection) {
  const text = await connection.ask(toRequestBytes('GET', '/api/bus/messages?topic=wake&limit=1'));
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).cursor;
}

/** One kept connection that asks one thing at a time. */
function openConnection(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let answered = () => {};
    let text = '';
    const read = createAnswerReader(() => {
      answered(text);
      text = '';
    });
    socket.on('data', (chunk) => {
      text += chunk;
      read(chunk);
    });
    socket.once('error', reject);
    socket.once('connect', () =>
      resolve({
        ask: (request) =>
          new Promise((done) => {
            answered = done;
            socket.write(request);
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}
