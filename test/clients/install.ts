import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The real clients, as packages of npm. Each is 100 to 400 MB and comes for the tests of the clients only, so it is
 * installed on demand into a cache. The versions are fixed: what was seen of one may not hold for another.
 */
const packages = {
  'claude-code': {
    name: '@anthropic-ai/claude-code',
    version: '2.1.332',
    program: `@anthropic-ai/claude-code-${platform()}/claude`,
  },
  codex: { name: '@openai/codex', version: '0.171.0', program: '.bin/codex' },
} as const;

export type ClientName = keyof typeof packages;

/** The path of the client's program. Rejects with what npm says when it cannot be had here. */
export async function installClient(client: ClientName): Promise<string> {
  const { name, version, program } = packages[client];
  const folder = resolve(`node_modules/.cache/bus-mcp/clients/${client}-${version}`);
  const path = join(folder, 'node_modules', program);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const words = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`];
  await run('npm', words, { cwd: folder, timeout: 300_000 });
  if (!existsSync(path)) throw new Error(`${name}@${version} brings no program for ${platform()}`);
  return path;
}

function platform(): string {
  return `${process.platform}-${process.arch}`;
}
