import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

/** Runs a script of the examples as a reader of them would. */
async function runExample(name: string) {
  const file = new URL(`../examples/${name}`, import.meta.url).pathname;
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [status] = await once(child, 'close');
  return { status, output };
}

describe('the examples', () => {
  it('eight-sessions: one bus, never two holders, and lanes of the dead come free', {
    timeout: 90_000,
  }, async () => {
    const { status, output } = await runExample('eight-sessions.mjs');
    expect(status, output).toBe(0);
    expect(output).toContain('SIGKILL');
    expect(output).toContain('never two holders');
  });
});
