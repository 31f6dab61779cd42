#!/usr/bin/env node
/** Whoever starts an MCP server waits for it, so nothing is loaded before it is known what is needed. */
async function run(): Promise<number> {
  if (process.argv.length === 2) {
    const { startQuickly } = await import('./quick-start.ts');
    const status = await startQuickly();
    if (status !== undefined) return status;
  }
  const { runCommand } = await import('./command-line.ts');
  return await runCommand();
}

process.exit(await run());
