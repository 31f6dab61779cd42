import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findRepository, qualifyPath, shortenScope, toScope } from '../../src/client-side/qualify.ts';
import { toRepositoryName } from '../../src/client-side/repository.ts';
import { useFolder } from '../folder.ts';

/** Real repositories: a clone with its worktrees, a second clone, a submodule, one without an origin, and no git at all. */
const folder = useFolder();
const at = (...names: string[]) => join(folder, ...names);

beforeAll(() => {
  makeRepository(at('library'), 'https://example.com/acme/library.git');
  makeRepository(at('pocket'), 'git@github.com:Acme/Pocket.git');
  git(at('pocket'), 'worktree', 'add', '-q', at('feature'));
  git(at('pocket'), 'worktree', 'add', '-q', at('pocket', '.worktrees', 'fix'));
  git(
    at('pocket'),
    '-c',
    'protocol.file.allow=always',
    'submodule',
    'add',
    '-q',
    at('library'),
    'vendor/library',
  );
  git(
    at('pocket', 'vendor', 'library'),
    'remote',
    'set-url',
    'origin',
    'https://example.com/acme/library.git',
  );
  makeRepository(at('clone'), 'https://ada:s3cret@github.com/Acme/Pocket/?token=s3cret');
  makeRepository(at('local'));
  write(
    'pocket/src/parser.ts',
    'clone/src/parser.ts',
    'feature/src/parser.ts',
    'local/a.ts',
    'plain/notes.md',
  );
  mkdirSync(at('pocket', 'empty', '.git'), { recursive: true });
  symlinkSync('src', at('pocket', 'linked'));
  symlinkSync(at('clone', 'src', 'parser.ts'), at('pocket', 'elsewhere.ts'));
});

const pocket = 'github.com/Acme/Pocket';
const library = 'example.com/acme/library';

describe('a written path becomes a scope', () => {
  test.each<readonly [what: string, project: string, written: string, scope: string]>([
    ['a file of the main checkout', 'pocket', 'src/parser.ts', `${pocket}/src/parser.ts`],
    ['a path with dots', 'pocket/src', '../src/./parser.ts', `${pocket}/src/parser.ts`],
    ['a file that does not exist yet', 'pocket', 'src/new/lexer.ts', `${pocket}/src/new/lexer.ts`],
    ['a pattern', 'pocket', 'src/**/*.ts', `${pocket}/src/**/*.ts`],
    ['a folder with a slash at its end', 'pocket', 'src/', `${pocket}/src`],
    ['the whole project', 'pocket', '.', pocket],
    ['a worktree beside the clone', 'feature', 'src/parser.ts', `${pocket}/src/parser.ts`],
    ['a worktree inside the clone', 'pocket', '.worktrees/fix/src/a.ts', `${pocket}/src/a.ts`],
    ['a second clone, over https with credentials', 'clone', 'src/parser.ts', `${pocket}/src/parser.ts`],
    ['a submodule', 'pocket', 'vendor/library/index.ts', `${library}/index.ts`],
    ['a folder with an empty .git', 'pocket/empty', 'a.ts', `${pocket}/empty/a.ts`],
    ['a linked folder', 'pocket', 'linked/new.ts', `${pocket}/src/new.ts`],
    ['a link to a file of another clone', 'pocket', 'elsewhere.ts', `${pocket}/src/parser.ts`],
    [
      'brackets and accents as they are',
      'pocket',
      'app/[slug]/cafe\u0301.tsx',
      `${pocket}/app/[slug]/cafe\u0301.tsx`,
    ],
  ])('%s', (_what, project, written, scope) => {
    expect(qualifyPath(written, { project: at(project), host: 'laptop' })).toBe(scope);
  });

  test('a repository without an origin is named by its host and folder, from its worktrees too', () => {
    git(at('local'), 'worktree', 'add', '-q', at('local-two'));
    const scope = `laptop${at('local', '.git')}/a.ts`;
    expect(qualifyPath('a.ts', { project: at('local'), host: 'laptop' })).toBe(scope);
    expect(qualifyPath('a.ts', { project: at('local-two'), host: 'laptop' })).toBe(scope);
  });

  test('what lies in no repository is named by its host and real path', () => {
    const scope = `laptop${at('plain', 'notes.md')}`;
    expect(qualifyPath('notes.md', { project: at('plain'), host: 'laptop' })).toBe(scope);
    expect(qualifyPath(at('plain', 'notes.md'), { project: at('pocket'), host: 'laptop' })).toBe(scope);
    expect(findRepository({ project: at('plain') })).toBeUndefined();
  });

  test('a tilde is the home folder', () => {
    const surroundings = { project: at('plain'), home: at('pocket'), host: 'laptop' };
    expect(qualifyPath('~/src/parser.ts', surroundings)).toBe(`${pocket}/src/parser.ts`);
    expect(qualifyPath('~other/a.ts', surroundings)).toBe(`laptop${at('plain', '~other', 'a.ts')}`);
  });

  test('the name of the repository can be set', () => {
    const surroundings = { project: at('local'), repository: 'acme/local' };
    expect(qualifyPath('a.ts', surroundings)).toBe('acme/local/a.ts');
    expect(findRepository(surroundings)).toBe('acme/local');
  });
});

test('results leave the own repository away', () => {
  expect(shortenScope(`${pocket}/src/parser.ts`, pocket)).toBe('src/parser.ts');
  expect(shortenScope(pocket, pocket)).toBe('**');
  expect(shortenScope(`${pocket}-two/src`, pocket)).toBe(`${pocket}-two/src`);
  expect(shortenScope(`${library}/index.ts`, pocket)).toBe(`${library}/index.ts`);
});

test('paths of Windows become scopes with slashes', () => {
  expect(toScope(['laptop', 'C:\\code\\pocket\\src'], '\\')).toBe('laptop/C:/code/pocket/src');
  expect(toScope(['github.com/acme/pocket', 'src\\a.ts'], '\\')).toBe('github.com/acme/pocket/src/a.ts');
  expect(toScope(['laptop', '\\\\server\\share\\a.ts'], '\\')).toBe('laptop/server/share/a.ts');
  expect(toScope(['laptop', '/odd\\name'], '/')).toBe('laptop/odd\\name');
});

describe('a repository has one name', () => {
  test.each([
    'git@github.com:acme/pocket.git',
    'github.com:acme/pocket',
    'ssh://git@github.com/acme/pocket.git',
    'ssh://git@github.com:22/acme/pocket.git/',
    'https://github.com/acme/pocket',
    'https://GitHub.com/acme/pocket.git',
    'https://token@github.com/acme/pocket.git',
    'https://ada:p%40ss@github.com:443//acme/pocket.git?private_token=x#y',
    'https://ada:p@ss@github.com/acme/pocket.git',
    'git+ssh://git@github.com/acme/pocket.git',
    'git://github.com/acme/pocket/.git',
  ])('%s', (address) => {
    expect(toRepositoryName(address)).toBe('github.com/acme/pocket');
  });

  test.each([
    '/srv/git/pocket.git',
    '../pocket',
    'file:///srv/git/pocket.git',
    'C:\\git\\pocket',
    'C:/git/pocket',
    '',
  ])('an address without a host gives none: %s', (address) => {
    expect(toRepositoryName(address)).toBeUndefined();
  });
});

function makeRepository(path: string, origin?: string): void {
  mkdirSync(path, { recursive: true });
  git(path, 'init', '-q');
  git(path, 'commit', '-q', '--allow-empty', '-m', 'start');
  if (origin !== undefined) git(path, 'remote', 'add', 'origin', origin);
}

function git(path: string, ...words: string[]): void {
  const settings = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
  execFileSync('git', ['-C', path, ...settings, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
}

function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), '');
  }
}
