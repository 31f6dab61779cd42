import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { manifestFiles } from '../scripts/manifests.ts';
import { operations } from '../src/contract/contract.ts';
import { toSnakeCase } from '../src/contract/names.ts';
import { isPublished } from '../src/contract/publication.ts';
import { useFolder } from './folder.ts';
import { findClosedPort } from './http/fixtures.ts';
import { serverSchema } from './package/server-schema.ts';

const folder = useFolder();

test.each(Object.entries(manifestFiles))(
  '%s says what the package says: run npm run generate after a change',
  (file, toManifest) => {
    expect(readJson(file)).toEqual(toManifest());
  },
);

test('server.json is as the registry of MCP servers takes it, under the name that the package confirms', () => {
  const server = readJson('server.json');
  const check = new Ajv({ strict: true }).compile(serverSchema);
  expect(check(server), JSON.stringify(check.errors)).toBe(true);
  expect(server).toMatchObject({ name: manifest.mcpName, version: manifest.version });
});

test('the lists of MCP servers and of plugins name this very version', () => {
  const version = { version: manifest.version };
  expect(readJson('server.json')).toMatchObject({ packages: [version] });
  expect(readJson('.claude-plugin/plugin.json')).toMatchObject(version);
  expect(readJson('.claude-plugin/marketplace.json')).toMatchObject({
    plugins: [{ ...version, source: isPublished ? version : './' }],
  });
});

test('the lockfile names what every platform needs, and no registry', () => {
  const { packages } = readJson('package-lock.json') as {
    packages: Record<string, { optionalDependencies?: object; resolved?: string }>;
  };
  const optional = Object.values(packages).flatMap((one) => Object.keys(one.optionalDependencies ?? {}));
  // Without them npm ci refuses the whole file. npm leaves out what the registry of whoever installed did not have.
  expect(optional.filter((name) => !Object.hasOwn(packages, `node_modules/${name}`))).toEqual([]);
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});

test('the plugin finds its hooks and its server in the package', () => {
  const { hooks, mcpServers } = readJson('.claude-plugin/plugin.json') as {
    hooks: string;
    mcpServers: Record<string, { args: string[] }>;
  };
  const texts = [readFileSync(hooks, 'utf8'), JSON.stringify(mcpServers)];
  const files = texts.flatMap((text) =>
    [...text.matchAll(/\$\{CLAUDE_PLUGIN_ROOT\}\/([\w./-]+)/g)].map(([, file]) => file as string),
  );
  expect(files).toHaveLength(3);
  for (const file of files) {
    expect(existsSync(file), file).toBe(true);
    expect(manifest.files).toContain(file.split('/')[0]);
  }
});

test('the skill is named as its folder, says when to use it, and names only tools that there are', () => {
  const text = readFileSync('skills/bus/SKILL.md', 'utf8');
  const [, head = '', body = ''] = text.split(/^---$/m);
  expect(head).toMatch(/^name: bus$/m);
  const description = head.match(/^description: (.+)$/m)?.[1] ?? '';
  expect(description.length).toBeGreaterThan(50);
  expect(description.length).toBeLessThanOrEqual(1024);
  const tools = operations
    .filter(([, { doors }]) => doors.includes('mcp'))
    .map(([name]) => toSnakeCase(name));
  const named = [...body.matchAll(/`((?:post|read|claim|release|heartbeat|get)_\w+)/g)].map(
    ([, tool]) => tool,
  );
  expect([...new Set(named)].sort()).toEqual([...tools].sort());
});

test('npm run mcpb makes a bundle whose server starts', { timeout: 180_000 }, async () => {
  const file = join(folder, 'bus.mcpb');
  const unpacked = join(folder, 'unpacked');
  execFileSync('npm', ['run', 'mcpb', '--', file], { stdio: 'pipe', timeout: 120_000 });
  execFileSync('npx', ['--yes', '@anthropic-ai/mcpb@2.1.2', 'unpack', file, unpacked], { stdio: 'pipe' });
  const { server, user_config } = readJson(join(unpacked, 'manifest.json')) as {
    server: { mcp_config: { args: string[]; env: Record<string, string> } };
    user_config: Record<string, { default: string; title: string }>;
  };
  const titles = Object.values(user_config).map(({ title }) => title);
  expect(titles).toEqual(['Address of the bus', 'Write secret', 'Agent id']);
  // As a client does that was told nothing: every setting has its default, which is empty.
  const fillIn = (text: string) =>
    text
      .replace(/\$\{__dirname\}/, unpacked)
      .replace(/\$\{user_config\.(\w+)\}/, (_, name: string) => user_config[name]?.default ?? 'unknown');
  // The default address is the developer's own bus, which is none of this test's business.
  const baseUrl = `http://127.0.0.1:${await findClosedPort()}/api/bus`;
  const { args, env } = server.mcp_config;
  const filled = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, fillIn(text)]));
  expect(filled.BUS_MCP_BASE_URL).toBe('');
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: args.map(fillIn),
      env: { HOME: folder, BUS_MCP_AUTOSTART: '0', ...filled, BUS_MCP_BASE_URL: baseUrl },
    }),
  );
  const { tools } = await client.listTools();
  expect(tools).toHaveLength(6);
  const asked = await client.callTool({ name: 'get_bus_status', arguments: {} });
  expect(JSON.stringify(asked)).toContain(baseUrl);
  await client.close();
});

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
