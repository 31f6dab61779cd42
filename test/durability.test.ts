import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commandFile } from './build.ts';
import { createFolder } from './folder.ts';
import { post } from './http/fixtures.ts';
import { until } from './suite/ask.ts';

const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
if (!canTrace) {
  console.warn(
    'skipped: the order of write, fsync and answer (no strace here that may trace: install strace)',
  );
}

/** A bus whose calls to the system are written down, and those of them that concern the disk or a caller. */
async function startTraced() {
  const folder = createFolder();
  const trace = join(folder, 'trace.txt');
  const calls = 'pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,fsync,fdatasync';
  const child = spawn(
    'strace',
    ['-f', '-y', '-s', '9000', '-e', `trace=${calls}`, '-o', trace, process.execPath, commandFile, 'serve'],
    {
      detached: true,
      env: { PATH: process.env.PATH, HOME: folder, BUS_STORE: join(folder, 'bus.db'), BUS_PORT: '0' },
    },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    process.kill(-(child.pid as number), 'SIGKILL');
    await exited;
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await until('the bus listens', () => said.includes('Stop it with Ctrl-C'), 30);
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
  return { port, readLines: () => readFileSync(trace, 'latin1').split('\n') };
}

/** Where the first of them stands after that line, or a failure that says what is missing. */
function indexAfter(lines: readonly string[], start: number, what: string, isIt: (line: string) => boolean) {
  const index = lines.findIndex((line, place) => place > start && isIt(line));
  expect(index, `${what} comes after line ${start} of the trace`).toBeGreaterThan(start);
  return index;
}

describe.skipIf(!canTrace)('a write', () => {
  test.each([
    ['a post', '/api/bus/message', { topic: 't', sender: 's', body: 'needle-in-the-log' }],
    ['a grant', '/api/bus/lanes/needle-in-the-log/claim', { owner: 'ada' }],
  ])(
    'of %s reaches the log file, then the disk, and is answered then',
    async (_, path, body) => {
      const { port, readLines } = await startTraced();
      const before = readLines().length;
      expect((await post(port, path, body)).status).toBe(200);
      const isAnswer = (line: string) =>
        line.includes('HTTP/1.1 200 OK') && line.includes('needle-in-the-log');
      await until('the answer stands in the trace', () => readLines().some(isAnswer), 30);
      const lines = readLines();
      const written = indexAfter(lines, before - 2, 'the write', (line) => {
        return (
          line.includes('pwrite64(') && line.includes('bus.db-wal>') && line.includes('needle-in-the-log')
        );
      });
      const [thread] = (lines[written] as string).split(' ');
      const begun = indexAfter(lines, written, 'the fsync', (line) => {
        return line.startsWith(`${thread} `) && /f(data)?sync\(\d+<[^>]*bus\.db-wal>/.test(line);
      });
      const isWhole = (lines[begun] as string).endsWith('= 0');
      const synced = isWhole
        ? begun
        : indexAfter(lines, begun, 'the end of the fsync', (line) => {
            return line.startsWith(`${thread} `) && /f(data)?sync resumed>.*= 0$/.test(line);
          });
      const answered = lines.findIndex((line) => isAnswer(line));
      expect(answered).toBeGreaterThan(synced);
    },
    60_000,
  );
});
