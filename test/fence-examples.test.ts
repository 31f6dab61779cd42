import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../src/http/client.ts';
import { useBus } from './bus-process.ts';
import { useFolder } from './folder.ts';
import { startCommand } from './processes.ts';
import { until } from './suite/ask.ts';

/** The scripts of the protocol as they stand there, with a holder that loses its lane at the worst moment. */
const document = readFileSync('docs/protocol.md', 'utf8');
const scripts = new Map(
  [...document.matchAll(/^```sh\n(#!\/bin\/sh\n# (\S+\.sh)\b[\s\S]*?)^```/gm)].map(
    ([, text = '', name = '']) => [name, text],
  ),
);

/** How each is run, by which command it writes in the end, and where what it wrote is to be seen. */
const examples = [
  {
    name: 'deploy.sh',
    writesBy: 'cp',
    run: 'sh ../deploy.sh',
    shown: 'app/current/text',
    asWritten: 'new\n',
  },
  {
    name: 'write-file.sh',
    writesBy: 'mv',
    run: 'sh ../write-file.sh ../notes.txt < build/text',
    shown: 'notes.txt',
    asWritten: '# fence 2\nnew\n',
  },
];

test('the protocol has an example for each of them', () => {
  expect([...scripts.keys()]).toEqual(examples.map(({ name }) => name));
});

const canLock = findCommand('flock') !== '';

describe.skipIf(!canLock)('a holder whose lane was given to another (skipped: without flock)', () => {
  const folder = useFolder();
  const server = useBus(folder);
  let bus: Client;
  beforeAll(() => {
    bus = server().client;
  });
  test.each(examples)('between its look and its write does not write over it: $name', async (example) => {
    const place = preparePlace(folder, example);
    const run = (who: string) =>
      startCommand(['hold', example.name, '--', 'sh', '-c', `cd ${join(place, who)} && ${example.run}`], {
        BUS_MCP_BASE_URL: server().baseUrl,
        PATH: [join(place, 'bin'), process.env.PATH].join(delimiter),
      });
    const stale = run('old');
    await until('the first has looked', () => existsSync(join(place, 'looked')));
    // Stopped as a whole, so that it does not hear of its loss: the command alone goes on.
    stale.child.kill('SIGSTOP');
    const { owner = '' } = (await bus.getLane({ lane: example.name })).lane;
    await bus.releaseLane({ lane: example.name, owner });
    const newer = run('new');
    await until(
      'the second is done, or kept waiting',
      () => newer.child.exitCode !== null || existsSync(join(place, 'locked')),
    );
    writeFileSync(join(place, 'gate'), '');
    expect(await newer.ended).toBe(0);
    stale.child.kill('SIGCONT');
    // It had the lock, so it could end its write: the newer one came after it.
    expect(await stale.ended).toBe(0);
    expect(readFileSync(join(place, example.shown), 'utf8')).toBe(example.asWritten);
  });

  test.each(examples)('before its look is refused: $name', (example) => {
    const place = preparePlace(folder, example);
    const run = (who: string, BUS_FENCE: string) =>
      spawnSync('sh', ['-c', example.run], {
        cwd: join(place, who),
        env: { PATH: process.env.PATH, BUS_FENCE, BUS_LANE: 'lane' },
        encoding: 'utf8',
      });
    expect(run('new', '2').status).toBe(0);
    const { status, stderr } = run('old', '1');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^a newer holder of lane lane .* \(fence 2, ours is 1\)\n$/),
    ]);
    expect(readFileSync(join(place, example.shown), 'utf8')).toBe(example.asWritten);
    expect(run('new', '3').status).toBe(0);
  });
});

/** A folder to run the example in, with commands that stop the first holder, and tell that the second is locked out. */
function preparePlace(folder: string, { name, writesBy }: (typeof examples)[number]): string {
  const place = mkdtempSync(join(folder, 'place-'));
  for (const path of ['app/current', 'old/build', 'new/build', 'bin'])
    mkdirSync(join(place, path), { recursive: true });
  writeFileSync(join(place, 'old/build/text'), 'old\n');
  writeFileSync(join(place, 'new/build/text'), 'new\n');
  writeFileSync(join(place, name), (scripts.get(name) ?? '').replaceAll('/srv/app', join(place, 'app')));
  const wait = `if [ "$BUS_FENCE" = 1 ]; then touch ${place}/looked; for _ in $(seq 500); do [ -e ${place}/gate ] && break; sleep 0.02; done; fi`;
  addCommand(writesBy, wait);
  addCommand('flock', `if [ "$BUS_FENCE" = 2 ]; then "$found" -n 9 && exit 0; touch ${place}/locked; fi`);
  return place;

  function addCommand(command: string, before: string): void {
    const found = findCommand(command);
    writeFileSync(join(place, 'bin', command), `#!/bin/sh\nfound=${found}\n${before}\nexec "$found" "$@"\n`, {
      mode: 0o755,
    });
  }
}

function findCommand(name: string): string {
  return spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
}
