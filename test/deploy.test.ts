import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import manifest from '../package.json' with { type: 'json' };
import { settingEntries } from '../src/cli/settings.ts';
import { limits } from '../src/contract/limits.ts';
import { createClient } from '../src/http/client.ts';
import { startBus } from './bus-process.ts';
import { useFolder } from './folder.ts';
import { findClosedPort } from './http/fixtures.ts';
import { refusalOf, until } from './suite/ask.ts';

// No container engine is needed here: what is held is what can be read, and what runs without one is run.

const folder = useFolder();

const dockerfile = readFile('Dockerfile');
const compose = parse(readFile('compose.yaml'), { merge: true }) as Compose;
const balancer = readFile('haproxy.cfg');
const unit = readFile('bus-mcp.service');

type Compose = Readonly<{
  services: Readonly<Record<string, Service>>;
  secrets: Readonly<Record<string, unknown>>;
  volumes: Readonly<Record<string, unknown>>;
}>;
type Service = Readonly<{
  image?: string;
  build?: Readonly<{ context: string; dockerfile: string }>;
  environment?: Readonly<Record<string, string>>;
  secrets?: readonly string[];
  ports?: readonly string[];
  volumes?: readonly string[];
}>;

test('every setting that they name is one', () => {
  const known = settingEntries.map(([, { environment }]) => environment);
  for (const text of [dockerfile, readFile('compose.yaml'), unit]) {
    const named = [...text.matchAll(/^\s*(?:#\s)?(?:ENV |Environment=)?(BUS_[A-Z_]+)[=:]/gm)].map(
      ([, name]) => name,
    );
    expect(known).toEqual(expect.arrayContaining(named));
  }
});

test('what a person is told to write beside them never comes into the repository', () => {
  const written = [...readFile('compose.yaml').matchAll(/> (deploy\/\S+?)\)?(?=\s)/g)].map(
    ([, file]) => file,
  );
  expect(written.length).toBeGreaterThan(1);
  expect(readFileSync('.gitignore', 'utf8').split('\n')).toEqual(expect.arrayContaining(written));
});

test('the proxies hand on the host that was asked with its port, which an Origin has too', () => {
  const [, nginx = ''] = readFileSync('docs/operating.md', 'utf8').split('```nginx');
  expect(nginx.split('```')[0]).toContain('proxy_set_header Host $http_host;');
  expect(balancer).not.toMatch(/set-header host/i);
});

test('the container runs as a user without rights, keeps its data in a volume, and says whether it is well', () => {
  const [, image = ''] = dockerfile.split(/^FROM .*$/m).slice(1);
  expect(image).toMatch(/^USER node$/m);
  expect(image.indexOf('\nUSER node')).toBeLessThan(image.indexOf('\nENTRYPOINT'));
  const [, volume] = image.match(/^VOLUME (\S+)$/m) ?? [];
  expect(image).toContain(`BUS_STORE=${volume}/`);
  expect(image).toContain(`install -d -o node -g node -m 0700 ${volume}`);
  expect(image).toMatch(/^HEALTHCHECK /m);
  expect(dockerfile.match(/^FROM \S+:(?!latest)\S+/gm)).toHaveLength(2);
});

test('the container is given what the build and the package need, and nothing else', () => {
  const [, ...allowed] = readFile('Dockerfile.dockerignore').trim().split('\n');
  const names = allowed.map((line) => line.replace('!', ''));
  for (const name of names) expect(existsSync(name), name).toBe(true);
  const packed = manifest.files
    .map((pattern) => pattern.replace('/*.md', ''))
    .filter((name) => name !== 'dist');
  expect(names).toEqual(
    expect.arrayContaining([...packed, 'src', 'scripts', 'package.json', 'package-lock.json']),
  );
  expect(names).not.toContain('deploy');
});

test('the check of the container tells a bus that answers from one that does not', async () => {
  const [, line = ''] = dockerfile.match(/HEALTHCHECK[^\n]*\\\n\s+CMD (\[.*\])$/m) ?? [];
  const [, ...argv] = JSON.parse(line) as string[];
  const bus = await startBus({ home: folder });
  const check = () =>
    spawnSync(
      process.execPath,
      argv.map((word) => word.replace('127.0.0.1:8100', `127.0.0.1:${bus.port}`)),
    ).status;
  expect(check()).toBe(0);
  await bus.end();
  expect(check()).toBe(1);
});

test('two buses stand in front of one database, and only the balancer can be reached from outside', () => {
  const { services, secrets, volumes } = compose;
  const buses = Object.values(services).filter(({ environment }) => environment?.BUS_STORE !== undefined);
  expect(buses).toHaveLength(2);
  for (const { build, environment = {}, secrets: given = [] } of buses) {
    expect(existsSync(join('deploy', build?.context ?? '', build?.dockerfile ?? ''))).toBe(true);
    const { hostname, password, protocol } = new URL(environment.BUS_STORE as string);
    expect({ protocol, password, isService: Object.hasOwn(services, hostname) }).toEqual({
      protocol: 'postgres:',
      password: '',
      isService: true,
    });
    for (const secret of given) {
      expect(secrets).toHaveProperty(secret);
      // Where the container is told to look for it.
      expect(dockerfile).toContain(`BUS_WRITE_SECRET_FILE=/run/secrets/${secret}`);
    }
  }
  const open = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
  expect(open.map(([name]) => name)).toEqual(['balancer']);
  // Who wants it otherwise is told which variables to set.
  const text = readFile('compose.yaml');
  const optional = [...text.matchAll(/\$\{(\w+):-/g)].map(([, name]) => name);
  for (const name of optional) expect(text).toMatch(new RegExp(`^# {3}${name}=`, 'm'));
  const images = Object.values(services).flatMap(({ image }) => image ?? []);
  for (const image of images) expect(image).toMatch(/:\d/);
  expect(services.database?.volumes?.[0]?.split(':')[0]).toBe(Object.keys(volumes)[0]);
});

test('the balancer waits longer than a call can, and knows every bus', () => {
  const buses = Object.keys(compose.services).filter((name) => name.startsWith('bus-'));
  const servers = [...balancer.matchAll(/^\s+server (\S+) (\S+):8100$/gm)].map(([, name, host]) => [
    name,
    host,
  ]);
  expect(servers).toEqual(buses.map((name) => [name, name]));
  for (const [, seconds] of balancer.matchAll(/timeout (?:client|server) (\d+)s/g)) {
    expect(Number(seconds)).toBeGreaterThan(limits.waitSecondsMax);
  }
});

test('the balancer takes its configuration', (context) => {
  if (!isInstalled('haproxy', '-v')) context.skip('haproxy is not installed here');
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', 'deploy/haproxy.cfg'], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
});

describe('the balancer', () => {
  const isMissing = !isInstalled('haproxy', '-v');

  type Answer = (request: IncomingMessage, response: ServerResponse) => void;
  const toUnwell: Answer = (_, response) => response.writeHead(503).end();

  async function startServer(answer: Answer): Promise<number> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  /** In front of what stands in for the buses, with all else as it is. */
  async function startBalancer(...answers: readonly Answer[]): Promise<string> {
    const ports = await Promise.all(answers.map(startServer));
    const port = await findClosedPort();
    const file = join(folder, 'haproxy.cfg');
    const servers = balancer.replace(/(server bus-(\d)) \S+$/gm, (_, name, number) => {
      return `${name} 127.0.0.1:${ports[Number(number) - 1]}`;
    });
    writeFileSync(file, servers.replace('bind :8100', `bind 127.0.0.1:${port}`));
    const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const url = `http://127.0.0.1:${port}`;
    await until('it listens', () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    );
    return url;
  }

  const post = (url: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/bus/message`, { method: 'POST', headers, body: '{}' });

  test('gives what a killed bus was asked to another one, where that does nothing twice', async (context) => {
    if (isMissing) context.skip('haproxy is not installed here');
    let killed = 0;
    const dies: Answer = (request, response) => {
      if (request.url === '/healthz') return response.end();
      killed += 1;
      request.socket.destroy();
    };
    const url = await startBalancer(dies, (_, response) => response.end('{"id":1}'));
    for (let count = 0; killed < 3; count += 1) {
      expect((await post(url, { 'idempotency-key': `key-${count}` })).status).toBe(200);
      expect((await fetch(`${url}/api/bus/status`)).status).toBe(200);
    }
    const outcomes = new Set<unknown>();
    for (const before = killed; killed < before + 3; )
      outcomes.add(
        await post(url).then(
          ({ status }) => status,
          () => 'broken',
        ),
      );
    // On a connection that was used before, the caller is left to repeat it.
    outcomes.delete(200);
    for (const outcome of outcomes) expect([502, 'broken']).toContain(outcome);
    expect(outcomes.size).toBeGreaterThan(0);
  });

  test('says as a bus would that none of them can serve', async (context) => {
    if (isMissing) context.skip('haproxy is not installed here');
    const url = await startBalancer(toUnwell, toUnwell);
    const client = createClient({ baseUrl: `${url}/api/bus` });
    onTestFinished(client.close);
    await until('both are known to be unwell', async () =>
      (await fetch(`${url}/healthz`)).headers.has('retry-after'),
    );
    expect(await refusalOf(client.getBusStatus({}))).toMatchObject({
      status: 503,
      code: 'unavailable',
      data: { retry_after_s: 1 },
    });
  });
});

test('the service of systemd has no more rights than it needs', (context) => {
  expect(unit).toMatch(/^DynamicUser=yes$/m);
  expect(unit).toMatch(/^Environment=BUS_STORE=%S\/bus-mcp\//m);
  expect(unit).toMatch(/^StateDirectory=bus-mcp$/m);
  if (!isInstalled('systemd-analyze', '--version')) context.skip('systemd is not installed here');
  const file = join(folder, 'bus-mcp.service');
  writeFileSync(file, unit);
  const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
  expect(verified.stderr).toBe('');
  // Of 10, which is a service without any limits.
  const secured = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', file]);
  expect(secured.status).toBe(0);
});

function readFile(name: string): string {
  return readFileSync(join('deploy', name), 'utf8');
}

function isInstalled(program: string, flag: string): boolean {
  return spawnSync(program, [flag]).status === 0;
}
