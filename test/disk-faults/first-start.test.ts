import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findObstacle } from '../../src/store/sqlite/integrity/inspect.ts';
import { commandFile } from '../build.ts';
import { startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { postMany } from '../suite/ask.ts';

const canInject = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
if (!canInject)
  console.warn('skipped: a first start that is killed (no strace here that may trace: install strace)');

describe.skipIf(!canInject)('a bus that is killed while it makes a new database', () => {
  test('leaves a file on which the next one starts, and doctor finds nothing wrong with it', async () => {
    const folder = createFolder();
    const store = join(folder, 'bus.db');
    const killAtSync = [
      '-f',
      '-P',
      store,
      '-e',
      'inject=fsync,fdatasync:signal=KILL:when=1',
      '-o',
      '/dev/null',
    ];
    spawnSync(
      'strace',
      [...killAtSync, process.execPath, commandFile, 'serve', '--store', store, '--port', '0'],
      {
        env: { PATH: process.env.PATH, HOME: folder },
      },
    );
    expect(existsSync(`${store}-journal`), 'it was killed in the middle').toBe(true);
    expect(findObstacle(store)).toBeUndefined();
    const bus = await startBus({ store });
    await postMany(bus.client, 1);
    await bus.end();
  });
});
