// Callers that wait: what they cost, and how soon they hear.
import { setTimeout as pause } from 'node:timers/promises';
import { openConnection } from '../connection.mjs';
import { runLoad, toPercentiles, toRequestBytes } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { startBus, startCeiling } from '../servers.mjs';

export const title = 'Waiting';

export async function run({ settings, progress, report }) {
  const server = await startBus({ store: settings.store });
  const ceiling = await startCeiling();
  // With a database of its own behind it, a second bus hears of what happens at the first.
  const other = settings.store ? await startBus({ store: settings.store }) : undefined;
  try {
    await measureWakeUp({
      name: 'post to waiter woken',
      waitAt: server,
      postAt: server,
      settings,
      progress,
      report,
    });
    if (other) {
      const name = 'post to waiter woken at another bus';
      await measureWakeUp({ name, waitAt: other, postAt: server, settings, progress, report });
    }
    for (const connections of settings.connections) {
      await measureDeliveries({
        connections,
        subjects: { bus: server, ceiling },
        settings,
        progress,
        report,
      });
    }
    await measureCrowd({ server, settings, progress, report });
  } finally {
    await Promise.all([server, ceiling, other].map((one) => one?.stop()));
  }
}

/**
 * So many readers wait for every message of one who posts without a break: answers a second, against a server that
 * answers the same questions at once. The other peers cannot wait.
 */
async function measureDeliveries({ connections, subjects, settings, progress, report }) {
  const { bus, ceiling } = await inTurn({
    rounds: settings.rounds,
    subjects,
    progress: (what) => progress(`${connections} readers: ${what}`),
    measure: ({ port }, name) =>
      readNews({ port, connections, seconds: settings.seconds, isFed: name === 'bus' }),
  });
  const ratio = bus.perSecond / ceiling.perSecond;
  report({ name: `wait at ${connections}`, against: 'ceiling', ours: bus, theirs: ceiling, ratio });
}

async function readNews({ port, connections, seconds, isFed }) {
  const [poster, ...readers] = await Promise.all(
    Array.from({ length: connections + 1 }, () => openConnection(port)),
  );
  const endsAt = performance.now() + seconds * 1000;
  const isOver = () => performance.now() >= endsAt;
  const latencies = [];
  const start = isFed ? await readCursor(poster) : 0;
  async function read(reader) {
    for (let cursor = start; !isOver(); ) {
      const sentAt = performance.now();
      const text = await reader.ask(
        toRequestBytes('GET', `/api/bus/messages?since_id=${cursor}&limit=1&wait_s=30`),
      );
      cursor = toCursor(text);
      latencies.push(performance.now() - sentAt);
    }
  }
  async function feed(reading) {
    let isRead = false;
    void reading.then(() => {
      isRead = true;
    });
    while (!isRead) await poster.ask(post);
  }
  const reading = Promise.all(readers.map(read));
  await (isFed ? feed(reading) : reading);
  for (const connection of [poster, ...readers]) connection.close();
  return { perSecond: latencies.length / seconds, ...toPercentiles(latencies) };
}

/** From sending the post to the waiter's answer, over two connections. */
async function measureWakeUp({ name, waitAt, postAt, settings, progress, report }) {
  progress(name);
  const waiter = await openConnection(waitAt.port);
  const poster = await openConnection(postAt.port);
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
  report({ name, ours: { p50, p99 }, target: settings.store && { p99AtMost: 50 } });
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
  return toCursor(text);
}

function toCursor(text) {
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).cursor;
}
