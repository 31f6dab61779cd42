// Bundles what ships into dist/: everything but SQLite and PostgreSQL goes in, so that installing pulls in nothing else.
import { rmSync } from 'node:fs';
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
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  external: ['@photostructure/sqlite', 'pg', 'node:sqlite'],
  chunkNames: 'chunk-[hash]',
  // Bundled CommonJS packages ask for Node's own modules with require.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  logLevel: 'warning',
};

if (isWatching) {
  const watching = await context({ ...options, logLevel: 'info' });
  await watching.watch();
} else {
  rmSync('dist', { recursive: true, force: true });
  const startedAt = performance.now();
  await build(options);
  if (!isQuiet) console.log(`built dist/ in ${Math.round(performance.now() - startedAt)} ms`);
}
