// Bundles what ships into dist/: everything but SQLite and PostgreSQL goes in, so that installing pulls in nothing else.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, context } from 'esbuild';

const isQuiet = process.argv.includes('--quiet');
const isWatching = process.argv.includes('--watch');

const options = {
  entryPoints: {
    'command-line': 'src/app/command-line.ts',
    stdio: 'src/app/stdio.ts',
    index: 'src/app/index.ts',
    client: 'src/app/client.ts',
    'sqlite-writer': 'src/store/sqlite/writer-thread.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  minify: true,
  legalComments: 'none',
  external: ['@photostructure/sqlite', 'pg', 'node:sqlite'],
  // Its main file loads its parts in a way that no bundler can follow.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  plugins: [{ name: 'lean', setup: leaveOutUnused }],
  chunkNames: 'chunk-[hash]',
  // Bundled CommonJS packages ask for Node's own modules with require.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  logLevel: 'warning',
};

/** The command itself: one small file, which loads what a command needs and nothing before that. */
const commandOptions = {
  ...options,
  entryPoints: { bin: 'src/app/bin.ts' },
  splitting: false,
  banner: {},
  plugins: [{ name: 'apart', setup: leaveApart }],
};

/** The live page runs in browsers, so its script and its style are bundles of their own. */
const pageOptions = {
  entryPoints: { app: 'src/panel/browser/main.ts', style: 'src/panel/browser/style.css' },
  outdir: 'dist/panel',
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome116', 'firefox124', 'safari17.4'],
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

if (isWatching) {
  // Made of what may change now: without it the server answers by itself.
  rmSync('dist/opening.json', { force: true });
  for (const one of [pageOptions, commandOptions, options]) {
    const watching = await context({ ...one, logLevel: 'info' });
    await watching.watch();
  }
} else {
  const startedAt = performance.now();
  const built = await Promise.all(
    [options, commandOptions, pageOptions].map((one) => build({ ...one, write: false })),
  );
  writeChanged([...built.flatMap(({ outputFiles }) => outputFiles), await buildOpening()]);
  if (!isQuiet) console.log(`built dist/ in ${Math.round(performance.now() - startedAt)} ms`);
}

/** What the MCP server answers first, made by the server itself, so that it can be answered before that is loaded. */
async function buildOpening() {
  // Beside the packages, so that what is not bundled is found from there; several builds may run at a time.
  const outfile = resolve(`node_modules/.cache/bus-mcp/opening-${process.pid}.mjs`);
  await build({
    entryPoints: ['scripts/opening.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'warning',
  });
  const { toOpeningAnswers } = await import(pathToFileURL(outfile).href);
  rmSync(outfile);
  return {
    path: resolve('dist/opening.json'),
    contents: Buffer.from(JSON.stringify(await toOpeningAnswers())),
  };
}

/** A process may be starting from dist/ right now: each file is replaced whole, and only if it changed. */
function writeChanged(files) {
  mkdirSync('dist/panel', { recursive: true });
  for (const { path, contents } of files) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue;
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, contents, { mode: basename(path) === 'bin.js' ? 0o755 : 0o644 });
    renameSync(draft, path);
  }
  const names = new Set(files.map(({ path }) => basename(path)));
  const isStale = (name) => !names.has(name) && /^chunk-.*\.js$/.test(name);
  for (const name of readdirSync('dist').filter(isStale)) rmSync(`dist/${name}`, { force: true });
}

/** The other bundles, as files of their own. */
function leaveApart(building) {
  building.onResolve({ filter: /^\.\/(command-line|stdio)\.ts$/ }, ({ path }) => ({
    path: path.replace(/\.ts$/, '.js'),
    external: true,
  }));
}

/** Parts that packages bring along and nothing here uses; each costs every start some milliseconds. */
function leaveOutUnused(building) {
  // zod's error messages in fifty languages: the sentences for people are this project's own.
  building.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
    contents: "export { default as en } from './en.js';",
    resolveDir: 'node_modules/zod/v4/locales',
  }));
  building.onResolve({ filter: /^@modelcontextprotocol\/server\/_shims$/ }, () => ({
    path: resolve('scripts/mcp-shims.mjs'),
  }));
}
