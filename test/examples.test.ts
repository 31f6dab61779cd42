import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Runs a script of the examples as a reader of them would. */
async function runExample(name: string) {
  const file = new URL(`../examples/${name}`, import.meta.url).pathname;
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errorOutput] = ['', ''];
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errorOutput += chunk));
  const [status] = await once(child, 'close');
  return { status, output, errorOutput };
}

/** How much of a lease is left depends on the machine. */
function withoutSeconds(exchange: string): string {
  return exchange.replace(/\d+ ?s(?= remaining|,)/g, 'some s');
}

describe('the examples', () => {
  it('demo: prints the exchange that the README shows, and nothing else', { timeout: 60_000 }, async () => {
    const { status, output, errorOutput } = await runExample('demo.mjs');
    expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const shown = /```text\n(ada → .*?)```/s.exec(readme)?.[1] ?? '';
    expect(withoutSeconds(shown)).toBe(withoutSeconds(output));
  });

  it('eight-sessions: one bus, never two holders, and lanes of the dead come free', {
    timeout: 90_000,
  }, async () => {
    const { status, output, errorOutput } = await runExample('eight-sessions.mjs');
    expect(status, output + errorOutput).toBe(0);
    expect(output).toContain('SIGKILL');
    expect(output).toContain('never two holders');
  });
});
