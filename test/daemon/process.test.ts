import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Address, readAddress } from '../../src/daemon/address.ts';
import { explainSilence } from '../../src/daemon/find.ts';
import { checkProcess, isAlive, readOwnIdentity } from '../../src/daemon/processes.ts';
import { toBackOff } from '../../src/daemon/start.ts';
import { stopBus } from '../../src/daemon/stop.ts';
import { commandFile } from '../build.ts';
import { waitUntil } from '../suite/ask.ts';
import { createHome, type Home } from './machine.ts';

let home: Home;

beforeEach(() => {
  home = createHome();
});

afterEach(() => home.remove());

/** Starts a process that has nothing to do with any bus. */
async function startBystander() {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)']);
  await once(child.stdout, 'data');
  return { id: child.pid as number, end: () => child.kill('SIGKILL') };
}

describe('a process', () => {
  it('is the one that wrote its mark, and no other with its number', async () => {
    const own = readOwnIdentity();
    expect(checkProcess(own)).toBe('alive');
    expect(checkProcess({ ...own, processMark: `${own.processMark}0` })).toBe('gone');
    expect(checkProcess({ ...own, processMark: 'another machine 12' })).toBe('elsewhere');
    expect(checkProcess({ processId: process.pid })).toBe('elsewhere');
  });
});

describe('whoever ends a bus', () => {
  it('leaves a process alone that has come to bear its number', async () => {
    await home.run(['get-bus-status']);
    const { address: file } = home.place;
    const bystander = await startBystander();
    const address: Address = { ...(home.address() as Address), processId: bystander.id };
    writeFileSync(file, JSON.stringify(address));
    const { status, errorOutput } = await home.run(['down']);
    expect(status).toBe(1);
    expect(errorOutput).toContain('stop it where it was started');
    await expect(stopBus(address)).rejects.toThrow('stop it where it was started');
    await expect(stopBus({ ...address, processMark: undefined })).rejects.toThrow('stop it where');
    expect(isAlive(bystander.id)).toBe(true);
    bystander.end();
  });

  it('is advised to kill only a process that surely is the bus', async () => {
    await home.run(['get-bus-status']);
    const address = home.address() as Address;
    expect(explainSilence(address).remedy).toContain(`kill -9 ${address.processId}`);
    const other = { ...address, processId: process.pid };
    expect(JSON.stringify(explainSilence(other))).not.toContain('kill');
  });
});

const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
if (!canUnshare) console.log('skipped: process namespaces, because this user may not make them (unshare)');

/** Runs a script of the shell in a process namespace of its own, as a container does. */
function runApart(script: string) {
  const words = ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, 'sh'];
  const child = spawn('unshare', [...words, process.execPath, commandFile], {
    env: { ...home.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      output += part;
    });
  }
  return { child, ended: once(child, 'exit'), output: () => output };
}

describe.runIf(canUnshare)('a bus in a container', () => {
  it('that is process 1 is found there, by the doctor too, and stopped', async () => {
    const script = `(until [ -e "${home.place.address}" ]; do sleep 0.05; done
      "$@" get-bus-status --json; "$@" doctor; "$@" down) & exec "$@" serve`;
    const { ended, output } = runApart(script);
    await ended;
    expect(output()).toContain('"active_lanes"');
    expect(output()).toMatch(/ok +process +1 at http/);
    // The whole namespace ends with its process 1, and the command that asked with it.
    expect(output()).toContain('"signal":"SIGTERM"');
    expect(output()).not.toContain('started the local bus');
  });

  it('is used from outside, and never ended by a number that means another process here', async () => {
    const { child, ended } = runApart('"$@" serve & wait');
    const { processId } = (await waitUntil(() => readAddress(home.place.address))) as Address;
    expect(processId).toBeLessThan(20);
    expect((await home.run(['get-bus-status'])).status).toBe(0);
    const { status, errorOutput } = await home.run(['down']);
    expect(status).toBe(1);
    expect(errorOutput).toContain(`runs in another container or namespace, where it is process ${processId}`);
    expect((await home.run(['get-bus-status'])).errorOutput).toBe('');
    child.kill('SIGKILL');
    await ended;
  });
});

describe('a start that ends at once', () => {
  it('is tried again a few times only, each after a longer pause', async () => {
    expect([0, 1, 2].map(toBackOff)).toEqual([500, 1_000, 2_000]);
    await home.run(['get-bus-status']);
    writeFileSync(home.place.address, 'nobody can read this');
    const { status, errorOutput } = await home.run(['get-bus-status']);
    expect(status).toBe(3);
    expect(errorOutput).toContain('could not be started: ');
    const refusals = readFileSync(home.place.log, 'utf8').match(/already has a bus/g) ?? [];
    expect(refusals.length).toBeGreaterThan(1);
    expect(refusals.length).toBeLessThan(7);
  }, 40_000);
});
