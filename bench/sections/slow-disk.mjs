// People's disks take 5 to 20 ms for an fsync: no read may wait behind one.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runLoad, toRequestBytes } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { startBus } from '../servers.mjs';

export const title = 'Reads beside 16 writers, with each fsync slowed by 5 ms';

export async function run({ settings, progress, report }) {
  if (settings.store) return settings.remark('the slow disk is measured over SQLite only');
  const folder = mkdtempSync(join(tmpdir(), 'bus-slow-'));
  try {
    const shim = buildShim(folder);
    if (!shim) return settings.remark('no C compiler here: reads beside a slow disk are left out');
    await measure({ shim, settings, progress, report });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure({ shim, settings, progress, report }) {
  const server = await startBus({ environment: { LD_PRELOAD: shim } });
  const { port } = server;
  const { seconds } = settings;
  const loads = {
    idle: async () => [],
    busy: () => [runLoad({ port, connections: 16, seconds, toRequest: () => post })],
  };
  try {
    const { idle, busy } = await inTurn({
      rounds: settings.rounds,
      subjects: loads,
      progress,
      measure: async (startLoad) => {
        const load = await startLoad();
        const reads = await runLoad({ port, connections: 1, seconds, toRequest: () => read });
        const [writes] = await Promise.all(load);
        return { ...reads, writesPerSecond: writes?.perSecond ?? 0 };
      },
    });
    report({
      name: 'read p50 beside 16 writers',
      against: 'idle bus',
      ours: busy,
      theirs: idle,
      ratio: busy.p50 / idle.p50,
      target: { atMost: 2 },
    });
  } finally {
    await server.stop();
  }
}

const post = toRequestBytes('POST', '/api/bus/message', {
  topic: 'bench',
  sender: 'bench',
  body: 'hello world',
});
const read = toRequestBytes('GET', '/api/bus/messages?limit=10');

function buildShim(folder) {
  const source = fileURLToPath(new URL('../peers/slow-fsync.c', import.meta.url));
  const shim = join(folder, 'slow-fsync.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', shim, source, '-ldl'], { stdio: 'ignore' });
    return shim;
  } catch {
    return undefined;
  }
}
