import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toDefaultStorePath } from '../src/cli/folders.ts';
import { commandFile } from './build.ts';
import { createFolder } from './folder.ts';

function createPlace() {
  const folder = createFolder();
  const [home, work] = [join(folder, 'home'), join(folder, 'work')];
  for (const each of [home, work]) mkdirSync(each);
  const run = (variables: Readonly<Record<string, string>>, words: readonly string[]) =>
    spawnSync(process.execPath, [commandFile, ...words], {
      cwd: work,
      env: { PATH: process.env.PATH, HOME: home, BUS_PORT: '0', ...variables },
      encoding: 'utf8',
    });
  return { home, work, run };
}

describe('where the store of a bus lies that starts by itself', () => {
  test('a path below ~/ lies in the home folder, wherever the client runs', () => {
    const { home, work, run } = createPlace();
    const variables = { BUS_STORE: '~/data/bus.db' };
    const posted = run(variables, ['post', 't', 'hello']);
    run(variables, ['down']);
    expect(posted.stderr).toContain('started the local bus');
    expect(posted.status).toBe(0);
    expect(existsSync(join(home, 'data', 'bus.db'))).toBe(true);
    expect(readdirSync(work), 'nothing is written where the client runs').toEqual([]);
  });

  test.each([
    ['bus.db', /BUS_STORE must be an absolute path or begin with ~\//],
    ['./bus.db', /BUS_STORE must be an absolute path/],
    ['${' + 'HOME}/bus.db', /BUS_STORE/],
    ['%APPDATA%/bus.db', /BUS_STORE/],
  ])('%s is refused with a sentence, and nothing is written', (store, sentence) => {
    const { work, run } = createPlace();
    const { status, stderr } = run({ BUS_STORE: store }, ['get-bus-status']);
    expect(stderr).toMatch(sentence);
    expect(status).not.toBe(0);
    expect(readdirSync(work)).toEqual([]);
  });

  test('an MCP server refuses a relative path also as a flag, because nobody types it where it runs', () => {
    const { work, run } = createPlace();
    const { status, stderr } = run({}, ['mcp', '--store', 'bus.db']);
    expect(stderr).toContain('--store must be an absolute path');
    expect(status).not.toBe(0);
    expect(readdirSync(work)).toEqual([]);
  });

  test.each(['', '.', 'home'])(
    'a home folder %j counts as none, and the account says where it is',
    (HOME) => {
      const path = toDefaultStorePath({ platform: 'linux', environment: { HOME } });
      expect(path).toMatch(/^\/.*bus-mcp\/bus\.db$/);
    },
  );
});
