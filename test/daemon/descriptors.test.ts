import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listInheritable } from '../../src/daemon/descriptors.ts';
import { commandFile } from '../build.ts';
import { createHome, type Home } from './machine.ts';

let home: Home;

beforeEach(() => {
  home = createHome();
});

afterEach(() => home.remove());

/** What the descriptors of the bus lead to, by their numbers. */
function readDescriptors(processId: number): string[] {
  return readdirSync(`/proc/${processId}/fd`).map((name) => readlinkSync(`/proc/${processId}/fd/${name}`));
}

it('a bus that a client starts keeps no lock and no pipe of the script that called the client', async () => {
  const file = join(home.folder, 'lock');
  const script = `exec 16>"${file}" 63>"${file}" 200>"${file}"; flock 200; "$@" get-bus-status --json | cat`;
  const words = ['-c', `${script}; exec 200>&-; flock -n "${file}" echo free`, 'bash'];
  const child = spawn('bash', [...words, process.execPath, commandFile], {
    env: home.environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  // The pipe ends only when nobody holds its other end any more.
  await once(child, 'close');
  const [bus] = home.buses() as [number];
  expect(output).toMatch(/"active_lanes".*\nfree\n$/s);
  expect(readDescriptors(bus).filter((target) => target === file)).toEqual([]);
});

it('what Node opens by itself is not taken for something that a started process inherits', () => {
  const own = openSync('/dev/null', 'r');
  expect(listInheritable()).not.toContain(own);
});
