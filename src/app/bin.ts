#!/usr/bin/env node
import { listGivenDescriptors } from '../cli/descriptors.ts';

/** Whoever starts an MCP server waits for it, so nothing is loaded before it is known what is needed. */
async function run(): Promise<number> {
  const [first = 'mcp', ...others] = process.argv.slice(2);
  if (first === 'mcp' || first.startsWith('--')) {
    const { startQuickly } = await import('./quick-start.ts');
    const status = await startQuickly(first === 'mcp' ? others : [first, ...others]);
    if (status !== undefined) return status;
  }
  // Only one command hands them on, and what is loaded next may open files of its own.
  const descriptors = process.argv.includes('hold') ? listGivenDescriptors(process.env) : [];
  const { runCommand } = await import('./command-line.ts');
  return await runCommand(descriptors);
}

/** What was written may still be on its way to a reader who takes his time, or who has gone. */
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
