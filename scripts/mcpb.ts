// Builds and validates the bundle for desktop clients: npm run mcpb [-- <file>]
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { toBundle } from './manifests.ts';

const { name, version } = manifest;
const file = resolve(process.argv[3] ?? `${name}-${version}.mcpb`);
const folder = mkdtempSync(join(tmpdir(), 'bus-mcp-bundle-'));
try {
  execFileSync(process.execPath, ['scripts/build.mjs', '--quiet'], { stdio: 'inherit' });
  for (const part of ['dist', 'LICENSE', 'README.md']) cpSync(part, join(folder, part), { recursive: true });
  write('manifest.json', toBundle());
  // Without it Node.js would take the files for modules of the older kind.
  write('package.json', { name, version, type: 'module', private: true });
  runBundler(['validate', join(folder, 'manifest.json')]);
  runBundler(['pack', folder, file]);
} finally {
  rmSync(folder, { recursive: true });
}

function write(path: string, value: object): void {
  writeFileSync(join(folder, path), `${JSON.stringify(value, null, 2)}\n`);
}

/** Fetched when it is needed: this is the only use, and it brings fifty packages along. */
function runBundler(argv: readonly string[]): void {
  execFileSync('npx', ['--yes', '@anthropic-ai/mcpb@2.1.2', ...argv], { stdio: 'inherit', timeout: 120_000 });
}
