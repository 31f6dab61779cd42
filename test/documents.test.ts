import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { generatedParts, withPart } from '../scripts/connect.ts';
import { settingEntries } from '../src/cli/settings.ts';
import { clients } from '../src/cli/setup/clients.ts';
import { isPublished } from '../src/contract/publication.ts';
import { commandFile } from './build.ts';
import { createHome } from './setup/folder.ts';

const documents = ['.', 'docs', 'docs/decisions', 'hooks', 'skills/bus']
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));

test.each(documents)('$file links to what is there', ({ file, text }) => {
  const links = [...withoutCode(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(
    ([, link]) => link as string,
  );
  const broken = links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : join(dirname(file), path);
    return !existsSync(target) || (anchor !== undefined && !toAnchors(target).includes(anchor));
  });
  expect(broken).toEqual([]);
});

test.each(documents)('$file names only scripts, commands and settings that there are', ({ text }) => {
  const scripts = find(text, /npm run ([a-z:]+)/g);
  expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(scripts));
  const commands = find(text, /(?:`|\n\s*|\| )bus-mcp ([a-z][a-z-]+)/g);
  expect(knownCommands).toEqual(expect.arrayContaining(commands));
  const variables = find(text, /\b(BUS_[A-Z_]+[A-Z])\b/g);
  expect(knownVariables).toEqual(expect.arrayContaining(variables));
});

test('the guide for operators names only measurements that the bus makes', () => {
  const source = readFileSync('src/app/metrics.ts', 'utf8');
  const text = readFileSync('docs/operating.md', 'utf8');
  const named = find(text, /\b(bus_[a-z_]+?)(?:_bucket)?\b(?=[[{`) ])/g);
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect(source).toContain(`'${name}'`);
});

test.each(Object.entries(generatedParts))(
  '%s says how the program is started as the package is published: run npm run generate after a change',
  (file, toPart) => {
    const text = readFileSync(file, 'utf8');
    expect(text).toBe(withPart(text, toPart()));
  },
);

test('the README has at most 150 lines', () => {
  expect(readFileSync('README.md', 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});

test('no document sends people to the registry before the package is there', () => {
  const shown = documents.filter(({ file }) => file !== 'CHANGELOG.md');
  const wrong = shown.filter(({ text }) => /npx (-y |--yes )?bus-mcp|npm (install|i) -g bus-mcp/.test(text));
  if (!isPublished) expect(wrong.map(({ file }) => file)).toEqual([]);
});

test('what the README prints for each client works when it is copied', () => {
  const lines = find(readFileSync('README.md', 'utf8'), /^(\S+ .*\bsetup [a-z-]+) +#/gm);
  expect(lines).toHaveLength(Object.keys(clients).length);
  for (const line of isPublished ? [] : lines) {
    const { home } = createHome();
    const printed = execFileSync('sh', ['-c', `${line} --print`], {
      env: { PATH: process.env.PATH, HOME: home },
    });
    const [, program] = /["'](\/[^"']+bin\.js)["']/.exec(String(printed)) ?? [];
    expect(program).toBe(commandFile);
  }
});

const knownCommands = find(
  execFileSync(process.execPath, [commandFile, '--help'], { encoding: 'utf8' }),
  /^ {2}([a-z][a-z-]+)/gm,
);

/** What `hold` gives its command is no setting. */
const knownVariables = [
  ...settingEntries.map(([, { environment }]) => environment),
  'BUS_LANE',
  'BUS_FENCE',
  'BUS_OWNER',
];

function find(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found]) => found as string))];
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
}

/** The anchors of the headings, as the usual pages of repositories make them. */
function toAnchors(file: string): string[] {
  const headings = find(withoutCode(readFileSync(file, 'utf8')), /^#+ (.+)$/gm);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
