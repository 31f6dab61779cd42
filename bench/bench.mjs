#!/usr/bin/env node
// Measures everything that the README claims: `npm run bench`. Ratios within one run; medians of rounds in turn.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMet, toMachine, toTable } from './report.mjs';

const sectionNames = ['throughput', 'processes', 'slow-disk', 'log-size', 'waiting', 'lanes', 'mcp', 'start'];

const { values: flags } = parseArgs({
  options: {
    help: { type: 'boolean' },
    quick: { type: 'boolean' },
    only: { type: 'string' },
    store: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    minutes: { type: 'string', default: '30' },
    json: { type: 'string', default: 'bench-results.json' },
  },
});

if (flags.help) {
  console.log(`npm run bench -- [flags]

  --only NAMES     only these sections, with commas: ${sectionNames.join(', ')}
  --quick          one short round: whether it runs, not how fast
  --store postgres a PostgreSQL server of its own, beside SQLite; or a postgres:// URL
  --rounds N       rounds in turn (3)
  --seconds S      of each measurement (1)
  --connections N  so many, or several with commas between (1,16,64,256)
  --minutes M      ends the run after so long, whatever is left (30)
  --json FILE      where the figures go as JSON (bench-results.json)`);
  process.exit(0);
}

const settings = {
  isQuick: flags.quick ?? false,
  rounds: toNumber('rounds', flags.rounds ?? (flags.quick ? 1 : 3)),
  seconds: toNumber('seconds', flags.seconds ?? (flags.quick ? 0.2 : 1)),
  connections:
    flags.connections?.split(',').map((text) => toNumber('connections', text)) ??
    (flags.quick ? [1, 64] : [1, 16, 64, 256]),
  sqliteToo: flags.store !== undefined,
  remark: (sentence) => process.stderr.write(`${clear}note: ${sentence}\n`),
};
const database = await openDatabase(flags.store);
settings.store = database?.url;
const clear = process.stderr.isTTY ? '\r\x1b[K' : '';
const startedAt = performance.now();
endAfter(toNumber('minutes', flags.minutes));
const sections = [];
try {
  for (const name of chooseSections(flags.only)) sections.push(await runSection(name));
} finally {
  await database?.stop();
}

const machine = toMachine();
const seconds = Math.round((performance.now() - startedAt) / 1000);
process.stderr.write(clear);
console.log(
  `${machine.cores} cores (${machine.processor}), ${machine.disk}, Node.js ${machine.node}; ${seconds} s`,
);
console.log(toTable(sections));
writeFileSync(flags.json, `${JSON.stringify({ machine, seconds, settings, sections }, null, 2)}\n`);
console.log(`\nThe same as JSON: ${flags.json}`);
const missed = sections.flatMap(({ rows }) => rows.filter((row) => isMet(row) === false));
if (missed.length > 0) console.log(`${missed.length} targets missed`);

async function runSection(name) {
  const { title, run } = await import(`./sections/${name}.mjs`);
  const rows = [];
  const progress = (what) => {
    if (process.stderr.isTTY) process.stderr.write(`${clear}${name}: ${what}`);
  };
  if (!process.stderr.isTTY) process.stderr.write(`${name} …\n`);
  await run({ settings, progress, report: (row) => rows.push(row) });
  return { name, title, rows };
}

function toNumber(flag, text) {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  console.error(`--${flag} must be a number above 0, not '${text}'`);
  process.exit(2);
}

/** A server that hangs must not hold up the run for ever. */
function endAfter(minutes) {
  const end = () => {
    console.error(
      `not finished after ${minutes} minutes: choose sections with --only, or give it more with --minutes`,
    );
    process.exit(1);
  };
  setTimeout(end, minutes * 60_000).unref();
}

function chooseSections(only) {
  if (!only) return sectionNames;
  const chosen = only.split(',');
  const unknown = chosen.filter((name) => !sectionNames.includes(name));
  if (unknown.length === 0) return chosen;
  console.error(`there is no section ${unknown.join(', ')}: choose from ${sectionNames.join(', ')}`);
  process.exit(2);
}

/** A server for this run from the npm package, unless a URL says where one is. */
async function openDatabase(store) {
  if (store === undefined) return undefined;
  if (store !== 'postgres') return { url: store, stop: async () => {} };
  const { startPostgres } = await import('./postgres.mjs');
  return startPostgres();
}
