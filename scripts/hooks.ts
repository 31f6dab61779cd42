import { build } from 'esbuild';

const banner =
  '// Built from src/hooks by `npm run generate`; it shares code with the bus and needs nothing but Node.js.';

/**
 * The texts of the hooks by the names of their files. They are kept in the repository, so that a checkout works as a
 * plugin without being built.
 */
export async function buildHooks(): Promise<readonly Readonly<{ path: string; text: string }>[]> {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(
      ['session-start', 'session-end', 'guard'].map((name) => [name, `src/hooks/${name}.ts`]),
    ),
    outdir: 'hooks',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.12',
    minify: true,
    legalComments: 'none',
    banner: { js: banner },
    write: false,
    logLevel: 'warning',
  });
  return outputFiles.map(({ path, text }) => ({ path, text }));
}
