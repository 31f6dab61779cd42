import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bodiesOf, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { postMany, until } from '../suite/ask.ts';

/** Ends the threads of a process at a signal, as running out of memory would. */
const endThreads = `
const threads = require('node:worker_threads');
const running = [];
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    running.push(this);
  }
};
require('node:module').syncBuiltinESMExports();
process.on('SIGUSR2', () => running.forEach((worker) => worker.terminate()));
`;

test('a bus whose writer thread died says so and ends, so that it is restarted, and has lost nothing', async () => {
  const folder = createFolder();
  const [store, preload] = [join(folder, 'bus.db'), join(folder, 'end-threads.cjs')];
  writeFileSync(preload, endThreads);
  const bus = await startBus({ store, environment: { NODE_OPTIONS: `--require ${preload}` } });
  await postMany(bus.client, 3);
  const waiting = fetch(`${bus.url}/api/bus/messages?since_id=3&wait_s=60`);
  await until('it waits', async () => {
    const metrics = await (await fetch(`${bus.url}/metrics`)).text();
    return metrics.includes('bus_readers_waiting 1');
  });
  bus.process.kill('SIGUSR2');
  await until('the process ends', () => bus.process.exitCode !== null);
  await bus.end();
  expect(bus.process.exitCode).toBe(1);
  expect(bus.said()).toMatch(/"level":50,.*"failure":"the writer thread ended".*the store is gone/);
  expect((await waiting).status, 'who waited was told').toBe(503);
  const again = await startBus({ store });
  expect(await bodiesOf(again.client)).toEqual(['1', '2', '3']);
});
