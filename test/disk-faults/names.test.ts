import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findUnsafe } from '../../src/store/sqlite/integrity/names.ts';
import { commandFile } from '../build.ts';
import { bodiesOf, refusalToStart, startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { postMany } from '../suite/ask.ts';

const canMount = process.platform === 'linux' && tryToBind();
if (!canMount)
  console.warn('skipped: a database that is mounted as a single file (this user may not mount one)');

describe('one database has one bus, whatever name it is reached by', () => {
  test('a hard link to the database of a running bus starts no second bus', async () => {
    const folder = createFolder();
    const [store, other] = [join(folder, 'bus.db'), join(folder, 'other', 'bus.db')];
    const bus = await startBus({ store });
    await bus.client.claimLane({ lane: 'deploy', owner: 'ada' });
    mkdirSync(dirname(other));
    linkSync(store, other);
    const said = await refusalToStart({ store: other });
    expect(said).toContain(`the database ${other} has 2 names (hard links)`);
    expect(existsSync(`${other}.lock`), 'nothing is made beside it').toBe(false);
    await postMany(bus.client, 1);
    await bus.end();
  });

  test.skipIf(!canMount)('a mount of the file alone starts no second bus', async () => {
    const folder = createFolder();
    const [store, other] = [join(folder, 'bus.db'), join(folder, 'a mounted file.db')];
    const bus = await startBus({ store });
    bind(store, other);
    expect(await refusalToStart({ store: other })).toContain(
      `the database ${other} is mounted as a single file, so its lock and its write-ahead log would stay outside: mount its folder instead`,
    );
    await bus.end();
  });

  test('a link to a database that does not exist yet leads to the same bus as the database itself', async () => {
    const folder = createFolder();
    const [link, store] = [join(folder, 'link.db'), join(folder, 'data', 'bus.db')];
    symlinkSync(join('data', 'bus.db'), link);
    const bus = await startBus({ store: link });
    expect(await refusalToStart({ store })).toContain(`already has a bus: process ${bus.process.pid}`);
    expect(existsSync(`${store}.address`), 'the address stands beside the database').toBe(true);
    const found = spawnSync(process.execPath, [commandFile, 'doctor', '--store', link], {
      env: { PATH: process.env.PATH, HOME: folder },
      encoding: 'utf8',
    });
    expect(found.stdout).toContain(bus.url);
    await bus.end();
    const again = await startBus({ store });
    await again.end();
  });

  test('a second openBus in one process is refused, and the first keeps its lock', async () => {
    const store = join(createFolder(), 'bus.db');
    const script = `
      import { openBus } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      const bus = await openBus({ store: process.argv[2] });
      const sentence = await openBus({ store: process.argv[2] }).then(() => 'a second bus', (error) => error.message);
      console.log(sentence);
      process.stdin.once('data', async () => { await bus.close(); process.exit(0); });
    `;
    const program = join(dirname(store), 'two.mjs');
    writeFileSync(program, script);
    const holder = spawn(process.execPath, [program, store], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const said = await new Promise<string>((resolve) =>
      holder.stdout.once('data', (data) => resolve(`${data}`)),
    );
    expect(said).toContain('already has a bus: this process itself');
    expect(await refusalToStart({ store })).toContain(`already has a bus: process ${holder.pid}`);
    holder.stdin.write('end\n');
  });
});

test('a database that was renamed under a running bus starts no second bus under its new name', async () => {
  const folder = createFolder();
  const [store, other] = [join(folder, 'bus.db'), join(folder, 'other.db')];
  const first = await startBus({ store });
  await postMany(first.client, 3);
  await first.end();
  const bus = await startBus({ store });
  await bus.client.claimLane({ lane: 'deploy', owner: 'ada' });
  renameSync(store, other);
  expect(await refusalToStart({ store: other })).toContain(
    `the database ${other} has no mark beside it, and another process has it open`,
  );
  renameSync(other, store);
  expect((await bus.client.claimLane({ lane: 'deploy', owner: 'ada' })).decision).toBe('renew');
  await bus.end();
  renameSync(store, other);
  const again = await startBus({ store: other });
  expect((await again.client.getLane({ lane: 'deploy' })).lane.owner).toBe('ada');
});

describe('a folder that others may write to', () => {
  test.each(['.lock', '.holder', '.mark', '.mark.unfinished', '-wal'])(
    'gets no file of this user overwritten through a link named %s',
    async (suffix) => {
      const folder = createFolder();
      const [store, precious] = [join(folder, 'bus.db'), join(folder, 'precious')];
      writeFileSync(precious, 'do not touch');
      symlinkSync(precious, `${store}${suffix}`);
      expect(await refusalToStart({ store })).toContain(`the file ${store}${suffix} is a link`);
      expect(readFileSync(precious, 'utf8')).toBe('do not touch');
      rmSync(`${store}${suffix}`);
      const bus = await startBus({ store });
      await postMany(bus.client, 1);
      expect(await bodiesOf(bus.client)).toEqual(['1']);
    },
  );

  test('is named in the log, and so is a database of another user', async () => {
    const folder = createFolder();
    const store = join(folder, 'bus.db');
    writeFileSync(store, '');
    expect(findUnsafe(store)).toBeUndefined();
    expect(findUnsafe(store, 4242)).toContain('belongs to another user');
    spawnSync('chmod', ['777', folder]);
    const bus = await startBus({ store });
    expect(bus.said()).toMatch(/"level":40,.*other users can replace files in/);
  });
});

function bind(source: string, target: string): void {
  writeFileSync(target, '');
  if (spawnSync('mount', ['--bind', source, target]).status !== 0) throw new Error('this user may not mount');
  onTestFinished(() => void spawnSync('umount', ['-l', target]));
}

function tryToBind(): boolean {
  const [source, target] = [`/tmp/bus-bind-${process.pid}-source`, `/tmp/bus-bind-${process.pid}-target`];
  for (const file of [source, target]) writeFileSync(file, '');
  const isMounted = spawnSync('mount', ['--bind', source, target]).status === 0;
  if (isMounted) spawnSync('umount', [target]);
  for (const file of [source, target]) rmSync(file);
  return isMounted;
}
