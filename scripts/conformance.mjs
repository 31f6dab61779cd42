// Holds the MCP server against tools that nobody here wrote: the official conformance suite, against both requirement
// sets, and the official inspector. `npm run conformance`; the exit status is 0 only if everything is as it must be.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

const node = 'node@22';
const suite = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const inspector = '@modelcontextprotocol/inspector@2.12.0';
const revisions = ['2025-11-25', '2026-07-28'];
const runSecondsMax = 240;

/** Scenarios about tools, resources and prompts of the suite's own, which only the test entry has. */
const fixtureScenarios =
  /^(tools-call-|elicitation-|prompts-get-|resources-(read|templates|subscribe|unsubscribe)|input-required-result-(?!unsupported-methods|validate-input))/;

const folder = mkdtempSync(join(tmpdir(), 'bus-mcp-conformance-'));
// Where npm is to keep what it fetches, and the tools whatever they like to keep.
const environment = {
  ...process.env,
  npm_config_cache: npmCache(),
  npm_config_update_notifier: 'false',
  HOME: folder,
};
const started = [];
const rows = [];

try {
  await run(process.execPath, ['scripts/build.mjs', '--quiet']);
  const entry = await start(process.execPath, [await bundleEntry()], /^(http\S+)/);
  const commandFile = resolve('dist/bin.js');
  const bus = await start(process.execPath, [commandFile, 'serve', '--port', '0'], /listens on\s+(\S+)/, {
    BUS_STORE: join(folder, 'bus.db'),
  });
  for (const revision of revisions) {
    await runSuite({ target: 'test entry', url: entry, revision, needed: () => true });
    await runSuite({
      target: 'real server',
      url: `${bus}/mcp`,
      revision,
      needed: (scenario) => !fixtureScenarios.test(scenario),
    });
  }
  for (const era of ['legacy', 'modern']) {
    await inspect('stdio', era, [process.execPath, commandFile, '-e', `BUS_MCP_BASE_URL=${bus}/api/bus`]);
    await inspect('HTTP', era, ['--server-url', `${bus}/mcp`, '--transport', 'http']);
  }
} finally {
  // A bus writes to its folder until it has ended.
  await Promise.all(started.map(stop));
  rmSync(folder, { recursive: true, force: true });
}
report();

function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', resolve);
    child.kill();
  });
}

/** One run of the suite: every scenario that the revision scores must be without failure, if it is needed here. */
async function runSuite({ target, url, revision, needed }) {
  const results = join(folder, `${target}-${revision}`.replace(' ', '-'));
  mkdirSync(results);
  const { text } = await runTool(suite, [
    'conformance',
    'server',
    '--url',
    url,
    '--requirements',
    revision,
    '-o',
    results,
  ]);
  const unscored = new Set(
    [...text.matchAll(/^ {2}[✓✗] (\S+) \((?:extension|added|pending)/gm)].map(([, name]) => name),
  );
  const scenarios = [...text.matchAll(/^=== Running scenario: (\S+) ===$/gm)].map(([, name]) => name);
  const scored = scenarios.filter((name) => !unscored.has(name) && needed(name));
  const notes = [];
  let passed = 0;
  for (const scenario of scored) {
    const { faults, warnings } = readChecks(results, scenario);
    notes.push(...faults.map((fault) => `✗ ${scenario}: ${fault}`));
    notes.push(...warnings.map((warning) => `  ${scenario}: ${warning} (a warning)`));
    if (faults.length === 0) passed += 1;
  }
  const isGreen = scored.length > 0 && passed === scored.length;
  rows.push({
    isGreen,
    what: `suite ${revision}, ${target}`,
    found: `${passed} of ${scored.length} scenarios`,
    notes,
  });
  if (!isGreen && scored.length === 0) notes.push(text.slice(-2_000));
}

/** What went wrong in a scenario. What the suite calls untestable is about a fixture that it did not find. */
function readChecks(results, scenario) {
  const found = readdirSync(results).filter((name) => name.startsWith(`server-${scenario}-2`));
  const file = found.map((name) => join(results, name, 'checks.json')).find((path) => existsSync(path));
  if (!file) return { faults: ['the suite wrote down no result'], warnings: [] };
  const checks = JSON.parse(readFileSync(file, 'utf8'));
  const told = (status) =>
    checks
      .filter((check) => check.status === status && !check.details?.untestable)
      .map(({ id, errorMessage, details }) => `${id}: ${errorMessage ?? details?.message ?? ''}`);
  return { faults: told('FAILURE'), warnings: told('WARNING') };
}

/** The inspector must be able to list everything, and find nothing to say about the schemas of the tools. */
async function inspect(transport, era, target) {
  const notes = [];
  for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) {
    const strict = method === 'tools/list' ? ['--strict'] : [];
    const args = ['mcp-inspector', '--cli', ...target, '--protocol-era', era, '--method', method, ...strict];
    const { status, text, remarks } = await runTool(inspector, [...args, '--format', 'json']);
    const findings = /(\d+) errors?, (\d+) warnings?/.exec(remarks)?.[0];
    if (status !== 0 || !text.includes('"result"'))
      notes.push(`✗ ${method}: status ${status}: ${remarks || text}`);
    if (findings && !findings.startsWith('0 errors, 0 ')) notes.push(`✗ ${method}: ${findings}`);
  }
  rows.push({
    isGreen: notes.length === 0,
    what: `inspector --strict, ${transport}, ${era}`,
    found: 'clean',
    notes,
  });
}

function runTool(tool, args) {
  return run('npx', ['-y', '-p', node, '-p', tool, ...args], { isToolOutput: true });
}

/** Runs to the end, or not longer than it may take. Only a tool may fail without ending all this. */
function run(command, args, { isToolOutput = false } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    let remarks = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (remarks += chunk));
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), runSecondsMax * 1000);
    child.once('error', fail);
    child.once('close', (status) => {
      clearTimeout(timer);
      if (status !== 0 && !isToolOutput)
        fail(new Error(`${command} ${args.join(' ')} ended with ${status}: ${remarks}`));
      else done({ status, text, remarks: remarks.replace(/^npm (warn|notice).*\n?/gm, '').trim() });
    });
  });
}

/** Starts a server and answers the address that it prints. */
function start(command, args, pattern, more = {}) {
  const child = spawn(command, args, {
    env: { ...environment, ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  return new Promise((done, fail) => {
    child.once('exit', (status) => fail(new Error(`${args[0]} ended with ${status}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, url] = pattern.exec(line) ?? [];
      if (url) done(url);
    });
  });
}

async function bundleEntry() {
  const outfile = join(folder, 'entry.mjs');
  await build({
    entryPoints: ['test/mcp/conformance-entry.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.12',
    logLevel: 'warning',
  });
  return outfile;
}

function npmCache() {
  return process.env.npm_config_cache ?? join(process.env.HOME ?? tmpdir(), '.npm');
}

function report() {
  for (const { isGreen, what, found, notes } of rows) {
    console.log(`${isGreen ? '✓' : '✗'} ${what.padEnd(36)} ${isGreen ? found : `not ${found}`}`);
    for (const note of notes) console.log(`    ${note}`);
  }
  const isGreen = rows.every((row) => row.isGreen);
  console.log(isGreen ? 'Everything is as it must be.' : 'Something is not as it must be.');
  process.exitCode = isGreen ? 0 : 1;
}
