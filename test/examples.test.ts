import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createHome } from './daemon/machine.ts';

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

  it('the README: every command of its first steps does what it says, in an empty home', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const commands = [...readme.matchAll(/^node dist\/bin\.js ((?:claim|post|status)\b.*)$/gm)];
    expect(commands.map(([, typed = '']) => typed.split(' ')[0])).toEqual(['claim', 'post', 'status']);
    const home = createHome();
    try {
      for (const [, typed = ''] of commands) {
        const argv = [...typed.matchAll(/"([^"]*)"|(\S+)/g)].map(
          ([, quoted, plain]) => quoted ?? plain ?? '',
        );
        const { status, output, errorOutput } = await home.run(argv);
        expect({ status, errorOutput }).toEqual({
          status: 0,
          errorOutput: expect.not.stringContaining('rror'),
        });
        if (argv[0] === 'status') expect(output).toMatch(/the guide is done[\s\S]*docs +ada/);
      }
    } finally {
      await home.remove();
    }
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
