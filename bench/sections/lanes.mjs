// A registry of ten lanes, and one of a hundred thousand.
import { runLoad, toRequestBytes } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { startBus } from '../servers.mjs';

export const title = 'From 10 to 100,000 held lanes, at 16 connections';

export async function run({ settings, progress, report }) {
  if (settings.store) return settings.remark('the number of lanes is measured over SQLite only');
  const many = settings.isQuick ? 2_000 : 100_000;
  const servers = { few: await startBus(), many: await startBus() };
  try {
    await holdLanes(servers.few.port, 10);
    progress(`claiming ${many.toLocaleString('en')} lanes`);
    await holdLanes(servers.many.port, many);
    for (const [name, toRequest] of Object.entries(requests)) {
      const measured = await inTurn({
        rounds: settings.rounds,
        subjects: servers,
        progress: (what) => progress(`${name}: ${what}`),
        measure: ({ port }) => runLoad({ port, connections: 16, seconds: settings.seconds, toRequest }),
      });
      report({
        name,
        against: 'the same with 10 lanes',
        ours: measured.many,
        theirs: measured.few,
        ratio: measured.few.perSecond / measured.many.perSecond,
        ...(name === 'renew a lane' && { target: { atMost: 1.5 } }),
      });
    }
  } finally {
    await Promise.all(Object.values(servers).map(({ stop }) => stop()));
  }
}

const renewals = Array.from({ length: 10 }, (_, index) => toClaim(index));
const status = toRequestBytes('GET', '/api/bus/status');
const requests = { 'renew a lane': (index) => renewals[index % 10], status: () => status };

function toClaim(index) {
  return toRequestBytes('POST', `/api/bus/lanes/lane-${index}/claim`, { owner: 'bench', lease_s: 86_400 });
}

async function holdLanes(port, count) {
  let next = 0;
  const connections = 64;
  const ask = async () => {
    const { Agent, request } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (next < count) {
      const lane = next;
      next += 1;
      await claim({ agent, request, port, lane });
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: connections }, ask));
}

function claim({ agent, request, port, lane }) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ owner: 'bench', lease_s: 86_400 });
    const options = {
      agent,
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: `/api/bus/lanes/lane-${lane}/claim`,
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    };
    request(options, (response) => response.resume().once('end', resolve))
      .once('error', reject)
      .end(body);
  });
}
