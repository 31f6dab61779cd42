#!/usr/bin/env node
// Kills real bus processes under load and holds them to what they acknowledged: `npm run soak -- --kills 200`.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endAll } from './soak/bus.mjs';
import { toNumber } from './soak/flags.mjs';

const { values: flags } = parseArgs({
  options: {
    help: { type: 'boolean' },
    kills: { type: 'string' },
    minutes: { type: 'string' },
    store: { type: 'string' },
    buses: { type: 'string' },
    seed: { type: 'string' },
    command: { type: 'string' },
    overload: { type: 'boolean' },
    seconds: { type: 'string' },
    'calm-ms': { type: 'string' },
    times: { type: 'string' },
  },
});

if (flags.help) {
  console.log(`npm run soak -- [flags]

  --kills K     ends after so many kills (200, unless --minutes is given)
  --minutes N   ends after so many minutes
  --seed S      chooses the same actions and moments again
  --store S     in place of a SQLite file: postgres starts a server of its own, which is killed too;
                or the URL of an empty PostgreSQL database
  --buses B     bus processes that share that database (2)
  --command F   the bin.js of another build
  --overload    far more load than one bus can take, in place of kills
  --seconds S   of overload (60)
  --times N     how much more it must be offered than it takes (10)
  --calm-ms M   how soon afterwards, once its disk is done with what it accepted, it must be as quick as before (1000)`);
  process.exit(0);
}

const numbers = {
  kills: toNumber(flags, 'kills', flags.minutes ? Number.POSITIVE_INFINITY : 200),
  minutes: toNumber(flags, 'minutes', Number.POSITIVE_INFINITY),
  seed: toNumber(flags, 'seed', 1 + (Date.now() % 1_000_000)),
  buses: toNumber(flags, 'buses', flags.store ? 2 : 1),
  seconds: toNumber(flags, 'seconds', 60),
  timesMin: toNumber(flags, 'times', 10),
  calmMillisecondsMax: toNumber(flags, 'calm-ms', 1_000),
};

// It finds parts of the test suite from there.
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// A copy, so that building again in the meantime does no harm; where it finds the packages.
const build = resolve(`node_modules/.cache/bus-mcp/soak-${process.pid}`);
if (!flags.command) cpSync('dist', build, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'bus-soak-'));
const progress = (line) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
const database = flags.store === 'postgres' ? await startDatabase() : undefined;
const settings = {
  folder,
  progress,
  ...numbers,
  store: database?.url ?? flags.store ?? join(folder, 'bus.db'),
  database,
  commandFile: flags.command ?? join(build, 'bin.js'),
};

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, giveUp);
const { run } = await import(flags.overload ? './soak/overload.mjs' : './soak/kills.mjs');
const { summary, faults } = await run(settings).catch((error) => ({ summary: '', faults: [error.message] }));
await tidyUp();
if (process.stderr.isTTY) progress('');
if (summary) console.log(summary);
if (faults.length === 0) {
  rmSync(folder, { recursive: true, force: true });
} else {
  for (const fault of faults.slice(0, 20)) console.error(`FAULT: ${fault.slice(0, 1_000)}`);
  if (faults.length > 20) console.error(`… and ${faults.length - 20} more`);
  const again = process.argv
    .slice(2)
    .filter((flag, index, all) => flag !== '--seed' && all[index - 1] !== '--seed');
  console.error(`Again: npm run soak -- ${[...again, '--seed', settings.seed].join(' ')}`);
  console.error(`What is left lies in ${folder}`);
}
process.exit(faults.length === 0 ? 0 : 1);

async function tidyUp() {
  await endAll();
  rmSync(build, { recursive: true, force: true });
  await database?.remove();
}

async function giveUp() {
  await tidyUp();
  rmSync(folder, { recursive: true, force: true });
  console.error('stopped before it was done: nothing is proved');
  process.exit(130);
}

async function startDatabase() {
  const { load } = await import('./soak/typescript.mjs');
  const { startPostgresServer } = await load('test/suite/postgres-server.ts');
  return startPostgresServer();
}
