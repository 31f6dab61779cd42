#!/usr/bin/env node
// Lets agents do overlapping work on one repository, by the tools only, and counts what goes wrong: `npm run trial`.
import { parseArgs } from 'node:util';
import { runTrial } from './trial/run.mjs';
import { ways } from './trial/ways.mjs';

const { values: flags } = parseArgs({
  options: {
    help: { type: 'boolean' },
    agents: { type: 'string', default: '6' },
    tasks: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    'think-ms': { type: 'string', default: '150' },
    json: { type: 'boolean' },
  },
});

if (flags.help) {
  console.log(`npm run trial -- [flags]

  --agents N     MCP servers over stdio, each with one agent that follows a script (6)
  --tasks N      tasks of each agent; a task changes one to three files that others change too (8)
  --think-ms N   between reading a file and writing it (150)
  --seed S       chooses other tasks and other names for them (1)
  --json         one line of JSON for each way`);
  process.exit(0);
}

const asked = {
  agents: Number(flags.agents),
  tasks: Number(flags.tasks),
  seed: Number(flags.seed),
  thinkMilliseconds: Number(flags['think-ms']),
};

const results = [];
for (const way of ways) {
  const result = { way: way.name, ...(await runTrial(way, asked)) };
  results.push(result);
  if (flags.json) console.log(JSON.stringify(result));
}
if (!flags.json) print(results);
process.exit(results.some(({ failure }) => failure) ? 1 : 0);

function print(rows) {
  console.log(
    `${asked.agents} agents with ${asked.tasks} tasks each, ${asked.thinkMilliseconds} ms between reading and writing\n`,
  );
  console.log('| | edits | collisions | lost edits | calls | shown to the model | waited | took |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const row of rows) console.log(`| ${toCells(row).join(' | ')} |`);
}

function toCells({ way, skipped, failure, ...counted }) {
  if (skipped ?? failure) return [way, `${skipped ? 'skipped' : 'failed'}: ${skipped ?? failure}`];
  const { edits, collisions, lostEdits, calls, shownBytes, waitedSeconds, tookSeconds } = counted;
  const kilobytes = `${(shownBytes / 1000).toFixed(1)} kB`;
  return [way, edits, collisions, lostEdits, calls, kilobytes, `${waitedSeconds} s`, `${tookSeconds} s`];
}
