// A log grows for years: reading, posting and the status must not notice.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLoad, toRequestBytes } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { startBus, startCeiling } from '../servers.mjs';

export const title = 'From 10,000 to 1,000,000 messages, at 16 connections';

const connections = 16;

export async function run({ settings, progress, report }) {
  if (settings.store) return settings.remark('the size of the log is measured over SQLite only');
  const folder = mkdtempSync(join(tmpdir(), 'bus-log-'));
  const servers = {};
  try {
    servers.small = await startFilled({ folder, count: 10_000, progress });
    servers.large = await startFilled({ folder, count: settings.isQuick ? 50_000 : 1_000_000, progress });
    servers.ceiling = await startCeiling();
    for (const operation of operations) await compare({ operation, servers, settings, progress, report });
  } finally {
    await Promise.all(Object.values(servers).map(({ stop }) => stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

const operations = [
  {
    name: 'read the newest 50',
    request: toRequestBytes('GET', '/api/bus/messages'),
    ceilingTarget: 0.4,
  },
  { name: 'read a rare topic', request: toRequestBytes('GET', '/api/bus/messages?topic=rare') },
  { name: 'read on from a cursor', request: toRequestBytes('GET', '/api/bus/messages?since_id=5000') },
  { name: 'status', request: toRequestBytes('GET', '/api/bus/status'), ceilingTarget: 0.4 },
  {
    name: 'post',
    request: toRequestBytes('POST', '/api/bus/message', { topic: 'bench', sender: 'bench', body: 'hello' }),
  },
];

async function compare({ operation, servers, settings, progress, report }) {
  const { name, request, ceilingTarget } = operation;
  const { small, large, ceiling } = await inTurn({
    rounds: settings.rounds,
    subjects: servers,
    progress: (what) => progress(`${name}: ${what}`),
    measure: ({ port }) =>
      runLoad({ port, connections, seconds: settings.seconds, toRequest: () => request }),
  });
  report({
    name,
    against: 'the same at 10,000',
    ours: large,
    theirs: small,
    ratio: small.perSecond / large.perSecond,
    target: { atMost: 1.5 },
  });
  if (ceilingTarget) {
    const ratio = large.perSecond / ceiling.perSecond;
    report({
      name,
      against: 'ceiling',
      ours: large,
      theirs: ceiling,
      ratio,
      target: { atLeast: ceilingTarget },
    });
  }
}

/** Fills the file of a stopped bus: through the front door a million messages would take half a minute. */
async function startFilled({ folder, count, progress }) {
  progress(`filling a log with ${count.toLocaleString('en')} messages`);
  const store = join(folder, `${count}.db`);
  const maker = await startBus({ store });
  await maker.stop();
  fill(store, count);
  return startBus({ store });
}

function fill(path, count) {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path);
  database.exec(`
    BEGIN;
    WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ${count})
    INSERT INTO messages (id, topic, sender, body, action_flag, ts)
    SELECT id, CASE WHEN id % 9973 = 0 THEN 'rare' ELSE 'topic-' || (id % 20) END, 'agent-' || (id % 8),
      'message number ' || id || ' says hello to the world', 0, 1767323045000 + id FROM n;
    INSERT INTO events (id, kind, ts, message_id) SELECT id, 'message_posted', ts, id FROM messages;
    UPDATE counters SET last_message_id = ${count}, last_event_id = ${count}, message_count = ${count};
    COMMIT;
  `);
  database.close();
}

function loadSqlite() {
  const require = createRequire(import.meta.url);
  try {
    return require('node:sqlite');
  } catch {
    return require('@photostructure/sqlite');
  }
}
