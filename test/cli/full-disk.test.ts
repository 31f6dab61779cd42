import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/http/client.ts';
import { commandFile } from '../build.ts';
import { useBus } from '../bus-process.ts';
import { useFolder } from '../folder.ts';

/** A torn file that a script takes for a whole one is worse than none: only a reader who went away is no failure. */

const folder = useFolder();
const server = useBus(folder);
let bus: Client;

beforeAll(async () => {
  bus = server().client;
  for (let count = 0; count < 20; count += 1) {
    await bus.postMessage({ topic: 'news', sender: 'ada', body: 'x'.repeat(5000) });
  }
});

/** Runs the command with the file as its output, or as its error output. */
async function runInto(file: string, argv: readonly string[], stream: 'output' | 'errorOutput' = 'output') {
  const descriptor = openSync(file, 'a');
  const child = spawn(process.execPath, [commandFile, ...argv], {
    env: { PATH: process.env.PATH, HOME: folder, BUS_MCP_BASE_URL: server().baseUrl },
    stdio: stream === 'output' ? ['ignore', descriptor, 'pipe'] : ['ignore', 'ignore', descriptor],
  });
  closeSync(descriptor);
  let sentence = '';
  child.stderr?.on('data', (chunk) => {
    sentence += chunk;
  });
  const [status] = await once(child, 'close');
  return { status, sentence };
}

describe('an answer that cannot be written', () => {
  const commands = [
    ['--help'],
    ['--version'],
    ['hold', '--help'],
    ['tools'],
    ['completion', 'bash'],
    ['post-message', 'news', 'hello', '--sender', 'ada'],
    ['read-messages'],
    ['get-bus-status', '--json'],
    ['export'],
    ['export', '--format', 'csv'],
    ['watch', '--since', '0'],
    ['verify', join(folder, 'bus.db')],
    ['doctor'],
    ['setup', 'cursor', '--print'],
  ];

  it.each(commands.map((argv) => [argv.join(' ').replace(folder, ''), argv] as const))(
    'is a sentence and status 1: %s',
    async (_, argv) => {
      const { sentence, status } = await runInto('/dev/full', argv);
      expect(sentence).toContain('could not be written to standard output');
      expect(sentence).toContain('no space left on device (ENOSPC)');
      expect(status).toBe(1);
    },
  );

  it('leaves the status of a failure as it is, and that of the command of a hold, which says nothing itself', async () => {
    const refused = await runInto('/dev/full', ['claim-lane', '../x', '--json']);
    expect(refused.status).toBe(2);
    expect((await runInto('/dev/full', ['hold', 'quiet', '--', 'true'])).status).toBe(0);
  });

  it('is noticed where only its end is missing, which Node.js does not tell', async () => {
    const whole = join(folder, 'whole');
    expect((await runInto(whole, ['export'])).status).toBe(0);
    const bytes = statSync(whole).size;
    // A limit on the size of files lets the beginning of a write through as a full disk does.
    const script = `ulimit -f ${Math.ceil(bytes / 1024) - 1}; trap '' XFSZ; "${process.execPath}" "${commandFile}" export > "${whole}.cut"`;
    const child = spawn('bash', ['-c', script], {
      env: { PATH: process.env.PATH, HOME: folder, BUS_MCP_BASE_URL: server().baseUrl },
    });
    let sentence = '';
    child.stderr.on('data', (chunk) => {
      sentence += chunk;
    });
    const [status] = await once(child, 'close');
    expect(statSync(`${whole}.cut`).size).toBeLessThan(bytes);
    expect(sentence).toContain('could not be written to standard output');
    expect(status).toBe(1);
  });

  it('stops no bus that has only its greeting to say', async () => {
    const store = join(folder, 'unheard.db');
    const descriptor = openSync('/dev/full', 'a');
    const child = spawn(process.execPath, [commandFile, 'serve', '--store', store, '--port', '0'], {
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: ['ignore', descriptor, 'pipe'],
    });
    closeSync(descriptor);
    let log = '';
    for await (const chunk of child.stderr ?? []) {
      log += chunk;
      if (log.includes('the bus listens')) child.kill('SIGTERM');
    }
    expect(log).toContain('could not be written to standard output');
    expect(child.exitCode ?? (await once(child, 'close'))[0]).toBe(1);
  });
});

describe('a reader who went away', () => {
  it('is no failure', () => {
    const script = `set -o pipefail; "${process.execPath}" "${commandFile}" export | head -1 > /dev/null`;
    const environment = { PATH: process.env.PATH, HOME: folder, BUS_MCP_BASE_URL: server().baseUrl };
    execFileSync('bash', ['-c', script], { env: environment });
  });
});

describe('a remark that cannot be written', () => {
  it('is a failure where the answer needs it, as the id that a message was posted under', async () => {
    const { status } = await runInto('/dev/full', ['post', 'news', 'nameless'], 'errorOutput');
    expect(status).toBe(1);
  });

  it('is none where nothing depends on it', async () => {
    const argv = ['hold', 'remarks', '--', 'sh', '-c', '(sleep 0.3) & exit 0'];
    expect((await runInto('/dev/full', argv, 'errorOutput')).status).toBe(0);
  });
});
