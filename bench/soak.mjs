#!/usr/bin/env node
// Kills real bus processes under load and holds them to what they acknowledged: `npm run soak -- --kills 200`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

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
  },
});

if (flags.help) {
  console.log(`npm run soak -- [flags]

  --kills K     ends after so many kills (200, unless --minutes is given)
  --minutes N   ends after so many minutes
  --seed S      chooses the same deeds and moments again
  --store URL   an empty PostgreSQL database in place of a SQLite file
  --buses B     bus processes that share that database (2)
  --command F   the bin.js of another build
  --overload    far more load than one bus can take, in place of kills
  --seconds S   of overload (60)`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'bus-soak-'));
const progress = (line) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
const settings = {
  folder,
  progress,
  kills: Number(flags.kills ?? (flags.minutes ? Number.POSITIVE_INFINITY : 200)),
  minutes: Number(flags.minutes ?? Number.POSITIVE_INFINITY),
  seed: Number(flags.seed ?? Date.now() % 1_000_000),
  store: flags.store ?? join(folder, 'bus.db'),
  buses: Number(flags.buses ?? (flags.store ? 2 : 1)),
  seconds: Number(flags.seconds ?? 60),
  commandFile: flags.command,
};

const { run } = await import(flags.overload ? './soak/overload.mjs' : './soak/kills.mjs');
const { summary, faults } = await run(settings).catch((error) => ({ summary: '', faults: [error.message] }));
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
