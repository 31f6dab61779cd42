// Runs a script written in TypeScript: node scripts/run.mjs scripts/screenshots.ts
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const entry = process.argv[2];
// Beside the packages, so that what is not bundled is found from there.
const outfile = resolve('node_modules/.cache/bus-mcp', `${basename(entry, '.ts')}.mjs`);
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  packages: 'external',
  external: ['node:sqlite'],
  logLevel: 'warning',
});
await import(pathToFileURL(outfile).href);
