// Writes what is generated from the declarations: the reference, the types, and what tells other programs about the package.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const { toReference } = await load('scripts/reference.ts');
const { manifestFiles } = await load('scripts/manifests.ts');
const { buildHooks } = await load('scripts/hooks.ts');
const { toDeclarations } = await load('scripts/declarations.ts');
const { generatedParts, withPart } = await load('scripts/connect.ts');
write('docs/reference.md', toReference());
write('types/operations.d.ts', toDeclarations());
for (const [file, toManifest] of Object.entries(manifestFiles)) write(file, JSON.stringify(toManifest()));
for (const [file, toPart] of Object.entries(generatedParts)) {
  write(file, withPart(readFileSync(file, 'utf8'), toPart()));
}
for (const { path, text } of await buildHooks()) write(relative('.', path), text);
execFileSync('npx', ['biome', 'check', '--write', ...Object.keys(manifestFiles)], { stdio: 'inherit' });

async function load(entryPoint) {
  // Into a file, so that an error in a script is told with its line.
  const outfile = resolve('node_modules/.cache/bus-mcp', `${basename(entryPoint, '.ts')}.mjs`);
  await build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'warning',
  });
  return await import(pathToFileURL(outfile).href);
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${file}`);
}
