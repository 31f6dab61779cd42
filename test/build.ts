import { execFileSync } from 'node:child_process';

/** The tests run what ships: the bundle is built once before all of them. */
export default function build(): void {
  execFileSync(process.execPath, ['scripts/build.mjs', '--quiet'], { stdio: 'inherit' });
}

/** The writer thread as it ships; a thread cannot be started from TypeScript. */
export const writerFile = new URL('../dist/sqlite-writer.js', import.meta.url);

/** The command as it ships. */
export const commandFile = new URL('../dist/bin.js', import.meta.url).pathname;
