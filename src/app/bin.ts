#!/usr/bin/env node
import { listGivenDescriptors } from '../cli/descriptors.ts';

/** A client waits for its MCP server to start, so load nothing before it is clear what is needed. */
async function run(): Promise<number> {
  const [first = 'mcp', ...others] = process.argv.slice(2);
  if (first === 'mcp' || first.startsWith('--')) {
    const { startQuickly } = await import('./quick-start.ts');
    const status = await startQuickly(first === 'mcp' ? others : [first, ...others]);
    if (status !== undefined) return status;
  }
  // Only `hold` passes them on. List them first, because modules loaded later may open files of their own.
  const descriptors = process.argv.includes('hold') ? listGivenDescriptors(process.env) : [];
  const { runCommand } = await import('./command-line.ts');
  return await runCommand(descriptors);
}

/** Waits until the output has been written. The reader may be slow, or gone. */
function drain(): Promise<void> {
  const { stdout } = process;
  return new Promise((resolve) => {
    setTimeout(resolve, drainMilliseconds);
    stdout.on('error', () => resolve());
    stdout.write('', () => resolve());
  });
}

const drainMilliseconds = 1_000;

const status = await run();
if (process.stdout.writableLength > 0) await drain();
process.exit(status);
