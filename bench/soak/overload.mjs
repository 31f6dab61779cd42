// Far more load than one bus can take: what it refuses, what it accepts, what it costs, and how soon it is over.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { askOnce, createAgent } from './ask.mjs';
import { createBusProcess } from './bus.mjs';
import { createCrowd } from './crowd.mjs';

const crowdSize = 4_000;
const waiterCount = 800;
const megabytesMax = 512;
const pageRows = 500;
/** So slow that a crowd on the same machine can offer ten times what is taken. */
const fsyncMilliseconds = 2_000;

export async function run({ folder, store, commandFile, seconds, timesMin, calmMillisecondsMax, progress }) {
  const disk = toSlowDisk(folder);
  const bus = createBusProcess({ store, home: folder, commandFile, environment: disk.environment });
  const agent = createAgent();
  const faults = [];
  try {
    await bus.launch();
    const ask = (path, body) => askOnce({ port: bus.port, method: body ? 'POST' : 'GET', path, body, agent });
    const usual = await measureCalm(ask, 3);
    progress(
      `alone: ${usual.toFixed(1)} ms for a post; now ${crowdSize.toLocaleString('en')} connections at once`,
    );
    const memory = watchMemory(bus.pid);
    const crowd = await createCrowd({ port: bus.port, size: crowdSize, waiterCount });
    const startedAt = performance.now();
    while (performance.now() - startedAt < seconds * 1000) {
      await pause(500);
      progress(`${crowd.tell()}, ${memory.peak()} MB`);
    }
    const offered = crowd.accepted().size + crowd.refused();
    const times = offered / Math.max(crowd.accepted().size, 1);
    crowd.leave();
    const calmAfter = await untilCalm(ask, usual);
    memory.stop();
    for (const fault of crowd.faults()) faults.push(fault);
    if (crowd.refused() === 0) faults.push('nothing was refused: that was no overload');
    if (memory.peak() > megabytesMax) faults.push(`the bus grew to ${memory.peak()} MB`);
    if (times < timesMin)
      faults.push(`it was offered ${times.toFixed(1)} times what it took: that is too little`);
    if (calmAfter > calmMillisecondsMax + disk.fsyncMilliseconds)
      faults.push(`it took ${Math.round(calmAfter)} ms to be as quick as before`);
    const lost = await findLost(ask, crowd.accepted());
    if (lost.length > 0) faults.push(`${lost.length} accepted messages are not in the log as they were sent`);
    const summary = [
      `offered              ${Math.round(offered / seconds).toLocaleString('en')} a second, ${times.toFixed(1)} times what it took`,
      `accepted             ${crowd.accepted().size.toLocaleString('en')} messages, all there as they were sent`,
      `refused              ${crowd.refused().toLocaleString('en')} with 503 and 429, each with retry_after_s`,
      `memory               ${memory.peak()} MB at most`,
      `back to normal       ${Math.round(calmAfter)} ms afterwards, with a disk that takes ${disk.fsyncMilliseconds} ms for an fsync`,
    ].join('\n');
    return { summary, faults };
  } finally {
    agent.destroy();
    await bus.kill();
  }
}

/** With a disk of which it takes little to ask too much. */
function toSlowDisk(folder) {
  const shim = join(folder, 'slow-fsync.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', shim, 'bench/peers/slow-fsync.c', '-ldl'], {
      stdio: 'ignore',
    });
    return { environment: { LD_PRELOAD: shim, SLOW_FSYNC_MS: String(fsyncMilliseconds) }, fsyncMilliseconds };
  } catch {
    console.error('note: no C compiler here, so the disk is as quick as it is');
    return { environment: {}, fsyncMilliseconds: 0 };
  }
}

/** A post at rest: the slowest of a few. */
async function measureCalm(ask, posts) {
  const latencies = [];
  for (let count = 0; count < posts; count += 1) latencies.push(await timePost(ask));
  return Math.max(...latencies);
}

async function timePost(ask) {
  const sentAt = performance.now();
  const reply = await ask('/message', { topic: 'calm', sender: 'calm', body: 'calm' });
  return reply?.status === 200 ? performance.now() - sentAt : Number.POSITIVE_INFINITY;
}

/** Normal is what it was before, give or take what else the machine does. */
async function untilCalm(ask, usual) {
  const startedAt = performance.now();
  for (;;) {
    const askedAfter = performance.now() - startedAt;
    const took = await timePost(ask);
    // The one that is as quick as ever was asked when all was well again.
    if (took < usual * 2 + 50 || askedAfter > 30_000) return askedAfter;
  }
}

function watchMemory(pid) {
  let peak = 0;
  const look = () => {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    peak = Math.max(peak, Math.round(Number(kilobytes) / 1024));
  };
  const timer = setInterval(look, 100);
  return { peak: () => peak, stop: () => clearInterval(timer) };
}

async function findLost(ask, accepted) {
  const left = new Map(accepted);
  for (let cursor = 0; ; ) {
    const { json } = await ask(`/messages?since_id=${cursor}&limit=${pageRows}`);
    for (const { id, body } of json.messages) if (left.get(id) === body) left.delete(id);
    if (!json.has_more) return [...left.keys()];
    cursor = json.cursor;
  }
}
