// Writes what is generated from the declarations: docs/reference.md.
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: ['scripts/reference.ts'],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  logLevel: 'warning',
});
const source = Buffer.from(outputFiles[0].contents).toString('base64');
const { toReference } = await import(`data:text/javascript;base64,${source}`);
writeFileSync('docs/reference.md', toReference());
console.log('wrote docs/reference.md');
