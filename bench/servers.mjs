// Starts and stops the servers that are measured, each in a process and a folder of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
export const commandFile = here('../dist/bin.js');

/** The bus as it ships. */
export function startBus({ store, environment = {} } = {}) {
  return startServer({
    command: process.execPath,
    toArguments: (folder) => [
      commandFile,
      'serve',
      '--port',
      '0',
      '--store',
      store ?? join(folder, 'bus.db'),
    ],
    environment,
  });
}

/** The same HTTP server with nothing behind it. */
export const startCeiling = () => startPeer(process.execPath, [here('peers/ceiling.mjs')]);

/** The same HTTP server with one SQLite commit for each write. */
export const startSingleCommit = () => startPeer(process.execPath, [here('peers/single-commit.mjs')]);

/** What people write first: FastAPI and sqlite3. Needs Debian's packages, see install-fastapi.sh. */
export const startFastApi = () => startPeer('/usr/bin/python3', [here('peers/fastapi_bus.py')]);

function startPeer(command, given) {
  return startServer({ command, toArguments: (folder) => [...given, join(folder, 'peer.db')] });
}

async function startServer({ command, toArguments, environment = {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'bus-bench-'));
  const env = { ...process.env, BUS_WRITE_SECRET: '', ...environment };
  const child = spawn(command, toArguments(folder), { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const port = await readPort(child);
  child.stdout.resume();
  child.stderr.resume();
  async function stop() {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(kill);
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    port,
    folder,
    url: `http://127.0.0.1:${port}`,
    stop,
    residentBytes: () => readResidentBytes(child.pid),
  };
}

function readPort(child) {
  return new Promise((resolve, reject) => {
    let printed = '';
    const read = (chunk) => {
      printed += chunk;
      const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
      if (port) resolve(Number(port));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`a server did not start: ${printed.slice(-500)}`)));
  });
}

function readResidentBytes(pid) {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
