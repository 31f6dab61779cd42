// Bundles what ships into dist/: everything but SQLite and PostgreSQL goes in, so that installing pulls in nothing else.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build, context } from 'esbuild';

const isQuiet = process.argv.includes('--quiet');
const isWatching = process.argv.includes('--watch');

const options = {
  entryPoints: {
    bin: 'src/bin.ts',
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
  const watchingPage = await context({ ...pageOptions, logLevel: 'info' });
  await watchingPage.watch();
  const watching = await context({ ...options, logLevel: 'info' });
  await watching.watch();
} else {
  const startedAt = performance.now();
  const built = await Promise.all([options, pageOptions].map((one) => build({ ...one, write: false })));
  writeChanged(built.flatMap(({ outputFiles }) => outputFiles));
  if (!isQuiet) console.log(`built dist/ in ${Math.round(performance.now() - startedAt)} ms`);
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

/** Parts that packages bring along and nothing here uses; each costs every start some milliseconds. */
function leaveOutUnused(building) {
  // zod's error messages in fifty languages: the sentences for people are this project's own.
  building.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
    contents: "export { default as en } from './en.js';",
    resolveDir: 'node_modules/zod/v4/locales',
  }));
}
