// Post, claim, read and status against the servers that say what is possible and what is usual.
import { runLoad, toRequestBytes } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { startBus, startCeiling, startFastApi, startSingleCommit } from '../servers.mjs';

export const title = 'Throughput: requests a second, and p50 / p99 in ms, at so many connections';

export async function run({ settings, progress, report }) {
  const servers = await startAll(settings);
  try {
    for (const operation of operations) {
      for (const connections of settings.connections) {
        await compare({ operation, connections, servers, settings, progress, report });
      }
    }
  } finally {
    await Promise.all(Object.values(servers).map(({ stop }) => stop()));
  }
}

async function startAll(settings) {
  const servers = { ceiling: await startCeiling(), bus: await startBus({ store: settings.store }) };
  servers['one commit each'] = await startSingleCommit();
  if (settings.sqliteToo) servers['bus on SQLite'] = await startBus();
  try {
    servers.FastAPI = await startFastApi();
  } catch {
    settings.remark('FastAPI is not here: bench/install-fastapi.sh installs it; that column is left out');
  }
  return servers;
}

const post = toRequestBytes('POST', '/api/bus/message', {
  topic: 'bench',
  sender: 'bench',
  body: 'hello world',
});
const read = toRequestBytes('GET', '/api/bus/messages');
const status = toRequestBytes('GET', '/api/bus/status');
const claims = Array.from({ length: 256 }, (_, index) =>
  toRequestBytes('POST', `/api/bus/lanes/bench-${index}/claim`, { owner: `agent-${index}`, lease_s: 300 }),
);

const operations = [
  { name: 'post', toRequest: () => post, peers: ['ceiling', 'one commit each', 'FastAPI', 'bus on SQLite'] },
  {
    name: 'claim',
    toRequest: (index) => claims[index],
    peers: ['ceiling', 'one commit each', 'FastAPI', 'bus on SQLite'],
  },
  { name: 'read', toRequest: () => read, peers: ['ceiling', 'FastAPI', 'bus on SQLite'] },
  { name: 'status', toRequest: () => status, peers: ['ceiling', 'FastAPI', 'bus on SQLite'] },
];

/** As ratios to each peer at 64 connections. */
const targets = {
  post: { ceiling: 0.7, 'one commit each': 6, FastAPI: 15 },
  claim: { ceiling: 0.6 },
};
const targetsOfPostgres = { post: { 'bus on SQLite': 0.6 } };

async function compare({ operation, connections, servers, settings, progress, report }) {
  const names = ['bus', ...operation.peers].filter((name) => servers[name]);
  const subjects = Object.fromEntries(names.map((name) => [name, servers[name]]));
  const measured = await inTurn({
    rounds: settings.rounds,
    subjects,
    progress: (what) => progress(`${operation.name} at ${connections} connections: ${what}`),
    measure: ({ port }) =>
      runLoad({ port, connections, seconds: settings.seconds, toRequest: operation.toRequest }),
  });
  const { bus, ...peers } = measured;
  for (const [peer, figures] of Object.entries(peers)) {
    const wanted = settings.store ? targetsOfPostgres : targets;
    const target = connections === 64 ? wanted[operation.name]?.[peer] : undefined;
    report({
      name: `${operation.name} at ${connections}`,
      against: peer,
      ours: bus,
      theirs: figures,
      ratio: bus.perSecond / figures.perSecond,
      ...(target && { target: { atLeast: target } }),
    });
  }
}
