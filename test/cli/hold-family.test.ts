import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isRunning } from '../../src/cli/descendants.ts';
import type { Client } from '../../src/http/client.ts';
import { commandFile } from '../build.ts';
import { useBus } from '../bus-process.ts';
import { useFolder } from '../folder.ts';
import { startCommand } from '../processes.ts';

/** What a command starts outlives its shell, and a supervisor signals hold alone: the lane must not be free before it is gone. */

const folder = useFolder();
const patience = { timeout: 10_000, interval: 20 };
const started: number[] = [];
const server = useBus(folder);
let bus: Client;

beforeAll(() => {
  bus = server().client;
});

afterAll(async () => {
  for (const id of started.filter(isRunning)) process.kill(id, 'SIGKILL');
});

/** A lane that one script holds; `$1` is the file into which a process of it writes its id. */
async function holdScript(lane: string, script: string, flags: readonly string[] = []) {
  const file = join(folder, `${lane}.pid`);
  const argv = ['hold', lane, ...flags, '--', 'sh', '-c', script, 'sh', file];
  const run = startCommand(argv, { BUS_MCP_BASE_URL: server().baseUrl });
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toMatch(/^\d+\n$/), patience);
  const processId = Number(readFileSync(file, 'utf8'));
  started.push(processId);
  return { ...run, processId, toState: async () => (await bus.getLane({ lane })).state };
}

/** A process that says its id and then works for as long as a test may take. */
const work = (trap = '') => `sh -c '${trap} echo $$ > "$0"; for _ in $(seq 1500); do sleep 0.02; done' "$1"`;

describe('a signal to hold alone', () => {
  it.each(['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGINT'] as const)(
    '%s ends what the shell has started before the lane is free',
    async (signal) => {
      const run = await holdScript(`forward-${signal.toLowerCase()}`, `${work()}; true`);
      run.child.kill(signal);
      expect(await run.ended).toBeGreaterThan(128);
      expect(isRunning(run.processId)).toBe(false);
      expect(await run.toState()).toBe('free');
    },
  );

  it('keeps the lane while a process of the command takes its time to end', async () => {
    const slow = work('trap "echo ending; while [ ! -e $0.go ]; do sleep 0.02; done; exit" TERM;');
    const run = await holdScript('slow', `${slow}; true`, ['--grace', '60']);
    run.child.kill('SIGTERM');
    await vi.waitFor(() => expect(run.output()).toContain('ending'), patience);
    expect(await run.toState()).toBe('held');
    writeFileSync(join(folder, 'slow.pid.go'), '');
    expect(await run.ended).toBe(143);
    expect(run.errorOutput()).not.toContain('killed');
    expect(await run.toState()).toBe('free');
  });

  it('kills what does not end within the grace, and says so', async () => {
    const run = await holdScript('stubborn', `${work('trap "" TERM;')}; true`, ['--grace', '0.2']);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(143);
    expect(isRunning(run.processId)).toBe(false);
    expect(run.errorOutput()).toContain(String(run.processId));
    expect(run.errorOutput()).toContain('still ran 0.2 s after SIGTERM: killed');
    expect(await run.toState()).toBe('free');
  });

  it('is a failure when something had to be killed although the command ended well', async () => {
    const script = `${work('trap "" TERM;')} & trap 'exit 0' TERM; wait`;
    const run = await holdScript('half-done', script, ['--grace', '0.2']);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(1);
  });
});

describe('a process in the background', () => {
  it('keeps the lane after its shell has ended, and hold says so and waits', async () => {
    const run = await holdScript('background', `${work()} & exit 3`);
    await vi.waitFor(() => expect(run.errorOutput()).toContain('the lane is kept until then'), patience);
    expect(run.errorOutput()).toContain(String(run.processId));
    expect(await run.toState()).toBe('held');
    process.kill(run.processId);
    expect(await run.ended).toBe(3);
    expect(await run.toState()).toBe('free');
  });

  it('is found in a session of its own too, and ended with the rest', async () => {
    const run = await holdScript('daemon', `setsid ${work()} & exit 0`);
    await vi.waitFor(() => expect(run.errorOutput()).toContain('the lane is kept until then'), patience);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(isRunning(run.processId)).toBe(false);
  });

  it('of a hold inside of another keeps both lanes', async () => {
    const inner = `"${process.execPath}" "${commandFile}" hold inner -- sh -c '${work().replaceAll("'", `'"'"'`)} & true' sh "$1"`;
    const run = await holdScript('outer', inner);
    const hold = await bus.getLane({ lane: 'inner' });
    expect(hold.state).toBe('held');
    const innerId = Number(String(hold.lane.owner).split(':').at(-2));
    process.kill(innerId, 'SIGKILL');
    await vi.waitFor(() => expect(run.errorOutput()).toContain('the lane is kept until then'), patience);
    expect(await run.toState()).toBe('held');
    process.kill(run.processId);
    expect(await run.ended).toBe(137);
    expect(await run.toState()).toBe('free');
  });

  it('that was started before is none of the business of hold', async () => {
    const other = spawn('sleep', ['30']);
    const run = startCommand(['hold', 'apart', '--', 'true'], { BUS_MCP_BASE_URL: server().baseUrl });
    expect(await run.ended).toBe(0);
    expect(run.errorOutput()).toBe('');
    other.kill();
  });
});

describe('the descriptors that the caller opened', () => {
  /** `command` sees `$HOLD`, which runs what follows under a lane. */
  function runShell(command: string, stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'pipe', 'pipe']) {
    const HOLD = `${process.execPath} ${commandFile} hold descriptors --`;
    const environment = { PATH: process.env.PATH, HOME: folder, BUS_MCP_BASE_URL: server().baseUrl, HOLD };
    return spawn('bash', ['-c', command], { env: environment, stdio });
  }

  it('reach the command: files, pipes and copies of the output, above 16 too', async () => {
    const file = join(folder, 'written');
    const script = 'echo to the file >&9; echo to the output >&7; echo far >&200; cat <&5';
    const shell = runShell(
      `exec 9>${file} 7>&1 200>>${file} 5< <(echo from a pipe); $HOLD bash -c '${script}'`,
    );
    const [output] = await readAll(shell);
    expect(output).toBe('to the output\nfrom a pipe\n');
    expect(readFileSync(file, 'utf8')).toBe('to the file\nfar\n');
  });

  it('are all that reach it', async () => {
    const list = `sh -c 'echo /proc/$$/fd/*'`;
    const ids = async (command: string) => {
      const [output] = await readAll(runShell(`exec 9>/dev/null; ${command}`));
      return output.replace(/\S+\//g, '');
    };
    expect(await ids(`$HOLD ${list}`)).toBe(await ids(list));
  });

  it('are the tokens of make, of which it hands on both ends of one pipe', async () => {
    const rule = `all:\n\t+@$$HOLD sh -c 'echo $$MAKEFLAGS; echo /proc/$$$$/fd/[34]'\n`;
    writeFileSync(join(folder, 'makefile'), rule);
    const [output] = await readAll(runShell(`make -s -j4 -f ${folder}/makefile`));
    const [, ends = '', shown = ''] = /jobserver-auth=(\S+)[\s\S]*\n(.+)/.exec(output) ?? [];
    // From 4.4 on make has a named pipe for it instead, which needs no descriptor.
    if (!ends.startsWith('fifo:')) expect(shown.replace(/\S+\//g, '').split(' ')).toEqual(ends.split(','));
  });
});

async function readAll(child: ReturnType<typeof spawn>): Promise<[string, string, number | null]> {
  const texts: [string, string] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    texts[0] += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    texts[1] += chunk;
  });
  const [status] = await once(child, 'close');
  return [...texts, status];
}
