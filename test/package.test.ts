import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import {
  checkExample,
  type Installed,
  installPackage,
  packPackage,
  readExample,
} from './package/installed.ts';
import { nodeVersions, provideNode, toEnvironment } from './package/node-versions.ts';

const execute = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bus-mcp-package-'));
const children: ChildProcess[] = [];
let packed: Awaited<ReturnType<typeof packPackage>>;

beforeAll(async () => {
  packed = await packPackage(folder);
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test('is a download of less than 550 KB', () => {
  expect(packed.bytes).toBeLessThan(550_000);
});

test('runs no script when it is installed, and depends on nothing that is not optional', () => {
  const scripts = Object.keys(manifest.scripts);
  expect(scripts).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(pre|post)?(install|prepare)$/)]),
  );
  expect(manifest).not.toHaveProperty('dependencies');
  const peers = Object.keys(manifest.peerDependencies);
  expect(peers.filter((name) => !Object.hasOwn(manifest.peerDependenciesMeta, name))).toEqual([]);
});

test('is packed as publint and attw want it', async () => {
  const { messages } = await publint({
    pack: { tarball: toArrayBuffer(readFileSync(packed.file)) },
    strict: true,
  });
  expect(messages).toEqual([]);
  // Fails with what it found; programs of the older module system have to import a module of this kind anyway.
  await execute('npx', ['attw', packed.file], { timeout: 60_000 });
}, 60_000);

test('has types that stand alone, and the example fits them', async () => {
  const home = join(folder, 'types');
  const environment = toEnvironment(process.execPath, home);
  const flags = ['--ignore-scripts', '--omit=optional'];
  const asked = {
    tarball: packed.file,
    folder: home,
    nodeFile: process.execPath,
    environment,
    flags,
  };
  const installed = await installPackage(asked);
  await checkExample(installed.folder);
}, 120_000);

/** Without the optional package where Node.js brings SQLite, and with it, as people install. */
const ways = nodeVersions.flatMap((version) => [
  {
    version,
    way: 'without scripts',
    flags: ['--ignore-scripts', ...(version > 20 ? ['--omit=optional'] : [])],
  },
  { version, way: 'plainly', flags: [] },
]);

describe.each(ways)('installed $way on Node.js $version', { timeout: 120_000 }, ({ version, way, flags }) => {
  let nodeFile: string;
  let installed: Installed;

  beforeAll(async () => {
    nodeFile = provideNode(version);
    const home = join(folder, `${version} ${way}`);
    const environment = toEnvironment(nodeFile, home);
    installed = await installPackage({ tarball: packed.file, folder: home, nodeFile, environment, flags });
  }, 240_000);

  test('brings nothing but the optional SQLite', () => {
    const forSqlite = ['@photostructure/sqlite', 'node-addon-api', 'node-gyp-build'];
    const brought = installed.packages.filter((name) => name !== 'bus-mcp');
    if (flags.includes('--omit=optional')) expect(brought).toEqual([]);
    else expect(forSqlite).toEqual(expect.arrayContaining(brought));
  });

  test('says its version', async () => {
    expect(await installed.run(['--version'])).toBe(`${manifest.version}\n`);
  });

  test('uses the SQLite that Node.js brings, where it does', async () => {
    const { checks } = JSON.parse(await installed.run(['doctor', '--json'])) as {
      checks: { name: string; finding: string }[];
    };
    const sqlite = checks.find(({ name }) => name === 'sqlite');
    expect(sqlite?.finding).toContain(version > 20 ? 'node:sqlite' : '@photostructure/sqlite');
  });

  test('serves the bus until it is stopped', async () => {
    const { child, baseUrl } = await serve(installed);
    const answer = await fetch(`${baseUrl}/message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic: 'docs', sender: 'ada', body: 'hello' }),
    });
    expect(await answer.json()).toMatchObject({ id: 1, topic: 'docs' });
    const panel = await fetch(new URL('/', baseUrl), { headers: { accept: 'text/html' } });
    expect(panel.headers.get('content-type')).toContain('text/html');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('serves the tools over stdio', async () => {
    const { command, environment } = installed;
    const env = { ...environment, BUS_MCP_AUTOSTART: '0' };
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StdioClientTransport({ command, env }));
    const { tools } = await client.listTools();
    await client.close();
    expect(tools.map(({ name }) => name)).toContain('claim_lane');
  });

  test('is a library, as the example uses it', async () => {
    expect(await installed.runScript(readExample())).toBe(
      [
        'ada holds docs under fence 1',
        "grace is refused: lane 'docs' held by 'ada' (lease 60s remaining): wait for it with wait_s, or claim another lane",
        'message 1 under fence 1',
        'grace reads: done',
        'grace holds docs under fence 2',
        '',
      ].join('\n'),
    );
  });

  test('has a client of its own for programs that open no bus', async () => {
    const source = `
      import { BusUnreachableError, createClient } from 'bus-mcp/client';
      const client = createClient({ baseUrl: 'http://127.0.0.1:9/api/bus' });
      const error = await client.getBusStatus({}).catch((error) => error);
      console.log(error instanceof BusUnreachableError);
    `;
    expect(await installed.runScript(source)).toBe('true\n');
  });
});

function toArrayBuffer({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

async function serve({ command, environment, folder }: Installed) {
  const argv = ['serve', '--port', '0', '--store', join(folder, 'bus.db')];
  const child = spawn(command, argv, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let output = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk;
    const found = output.match(/listens on\s+(\S+)/);
    if (found) return { child, baseUrl: `${found[1]}/api/bus` };
  }
  throw new Error(`the bus did not start: ${output}`);
}
