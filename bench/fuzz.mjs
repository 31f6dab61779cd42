#!/usr/bin/env node
// Sends the bus and its MCP server whatever there is to send: `npm run fuzz`. No 5xx, no crash, no hang, no leak.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzCalls } from './fuzz/calls.mjs';
import { fuzzRequests } from './fuzz/requests.mjs';
import { startSubject, toLeaks } from './fuzz/subject.mjs';

const { values: flags } = parseArgs({
  options: {
    help: { type: 'boolean' },
    requests: { type: 'string', default: '100000' },
    calls: { type: 'string', default: '100000' },
    seed: { type: 'string' },
  },
});

if (flags.help) {
  console.log(`npm run fuzz -- [flags]

  --requests N  raw HTTP requests (100000)
  --calls N     tool calls over stdio (100000)
  --seed S      the same again`);
  process.exit(0);
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const seed = Number(flags.seed ?? Date.now() % 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'bus-fuzz-'));
// A copy, so that building again in the meantime does no harm; where it finds the packages.
const build = resolve(`node_modules/.cache/bus-mcp/fuzz-${process.pid}`);
cpSync('dist', build, { recursive: true });
const command = join(build, 'bin.js');
const environment = {
  PATH: process.env.PATH,
  HOME: folder,
  BUS_STORE: join(folder, 'bus.db'),
  BUS_PORT: '0',
};
const progress = (line) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
const startedAt = performance.now();
const faults = [];
const lines = [];
const bus = startSubject({ command: [command, 'serve'], environment });
let server;
try {
  const port = await readPort(bus);
  await fuzz('requests', bus, Number(flags.requests), (count) =>
    fuzzRequests({ port, count, seed, progress }),
  );
  server = startSubject({
    command: [command, 'mcp'],
    environment: {
      ...environment,
      BUS_MCP_BASE_URL: `http://127.0.0.1:${port}/api/bus`,
      BUS_MCP_AGENT_ID: 'fuzz',
    },
  });
  await fuzz('tool calls', server, Number(flags.calls), (count) =>
    fuzzCalls({ subject: server, count, seed, progress }),
  );
  for (const { route, status } of await readFailures(port))
    faults.push(`${status} on ${route} in the metrics`);
  if (bus.said().includes('"level":50'))
    faults.push(`the bus logged a failure:\n${bus.said().slice(-2_000)}`);
} catch (error) {
  faults.push(error.message);
} finally {
  if (server && !(await server.stop())) faults.push('the MCP server did not end when it was told to');
  if (!(await bus.stop())) faults.push('the bus did not end when it was told to');
  rmSync(build, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
if (process.stderr.isTTY) progress('');
for (const line of lines) console.log(line);
console.log(`seed ${seed}, ${Math.round((performance.now() - startedAt) / 1000)} s`);
for (const fault of faults) console.error(`FAULT: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

/** A tenth first, so that what is loaded and cached once is no leak. */
async function fuzz(name, subject, count, run) {
  await run(Math.ceil(count / 10));
  const before = await subject.measure();
  const { sent, answered, statuses, outcomes } = await run(count);
  const after = await subject.measure();
  if (!subject.isAlive()) faults.push(`${name}: the process ended`);
  faults.push(...toLeaks(name, before, after));
  const found = [...(statuses ?? outcomes)].map(
    ([outcome, times]) => `${outcome} × ${times.toLocaleString('en')}`,
  );
  lines.push(`${(sent ?? answered).toLocaleString('en')} ${name}: ${found.join(', ')}`);
  const toMegabytes = ({ heapBytes }) => (heapBytes / 1e6).toFixed(1);
  lines.push(
    `  heap ${toMegabytes(before)} → ${toMegabytes(after)} MB, resources ${before.resources} → ${after.resources}`,
  );
}

function readPort({ child, said }) {
  return new Promise((done, fail) => {
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      const port = /listens on {2}http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
      if (port) done(Number(port));
    });
    child.once('exit', () => fail(new Error(`the bus did not start: ${said()}`)));
  });
}

/** What the bus itself counted: also answers that nobody read. */
function readFailures(port) {
  return new Promise((done, fail) => {
    request({ port, host: '127.0.0.1', path: '/metrics' }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        const found = text.matchAll(/bus_requests_total\{[^}]*route="([^"]*)"[^}]*status="(5\d\d)"/g);
        done([...found].map(([, route, status]) => ({ route, status })));
      });
    })
      .once('error', fail)
      .end();
  });
}
