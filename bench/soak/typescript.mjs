// Parts of the test suite, which is written in TypeScript, for scripts that are not.
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export async function load(entry) {
  // Beside the packages, so that what is not bundled is found from there.
  const outfile = resolve(
    'node_modules/.cache/bus-mcp',
    `soak-${process.pid}-${entry.replaceAll(/\W/g, '-')}.mjs`,
  );
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.12',
    packages: 'external',
    logLevel: 'warning',
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile, { force: true });
  }
}
