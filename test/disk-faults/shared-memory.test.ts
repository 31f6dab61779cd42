import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bodiesOf, refusalToStart, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { provideNode } from '../package/node-versions.ts';

const canInject =
  spawnSync('strace', ['-e', 'inject=mmap:error=ENODEV:when=9999', '-o', '/dev/null', 'true']).status === 0;
if (!canInject)
  console.warn('skipped: a file system without shared memory (no strace here that may inject faults)');

/** What 9p, drvfs of WSL and sshfs answer when SQLite maps the index of its log into memory. */
test.skipIf(!canInject).each([20, 24] as const)(
  'a file system that cannot share memory is named, with what to do, and is not called a failing disk, on Node.js %i',
  async (version) => {
    const [store, node] = [join(createFolder(), 'bus.db'), provideNode(version)];
    const inject = ['-e', 'inject=mmap:error=ENODEV'];
    const under = ['strace', '-f', '-o', '/dev/null', '-P', `${store}-shm`, ...inject];
    const said = await refusalToStart({ store, node, under });
    expect(said).toContain(
      `the database ${store} cannot be used, because the file system of the database cannot`,
    );
    expect(said).toContain('name a file in a folder of a local disk with BUS_STORE, or use PostgreSQL');
    expect(said).not.toMatch(/disk (I\/O error|failed)/);
    const bus = await startBus({ store, node });
    expect(await bodiesOf(bus.client)).toEqual([]);
  },
  150_000,
);
