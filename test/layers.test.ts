import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { readFiles } from './tidy/source-files.ts';

/** What a room may know: files and folders of other rooms, types of more of them, and packages. */
type Room = Readonly<{
  knows: readonly string[];
  knowsTypesOf?: readonly string[];
  packages?: readonly string[];
}>;

/** The arrows between the rooms. The room `app` puts the others together: it may know them all, and nobody knows it. */
const rooms: Readonly<Record<string, Room>> = {
  contract: { knows: [], packages: ['zod'] },
  store: { knows: ['contract/'], packages: ['pg'] },
  bus: {
    // The interface of the stores, and what they share about rows.
    knows: ['contract/', 'store/schema.ts', 'store/shown.ts', 'store/event-rows.ts', 'store/timestamp.ts'],
    knowsTypesOf: ['store/store.ts', 'store/rows.ts', 'store/clock.ts'],
  },
  feed: { knows: ['contract/', 'lease/timers.ts'] },
  http: { knows: ['contract/', 'feed/', 'lease/timers.ts'], packages: ['zod'] },
  lease: { knows: ['contract/'] },
  mcp: {
    knows: ['contract/', 'feed/', 'lease/', 'client-side/session.ts', 'client-side/join.ts'],
    packages: ['zod', '@modelcontextprotocol/server', '@modelcontextprotocol/node'],
  },
  cli: {
    knows: ['contract/', 'client-side/', 'feed/', 'http/client.ts', 'lease/'],
    packages: ['commander', 'jsonc-parser', 'smol-toml', '@decimalturn/toml-patch'],
  },
  daemon: { knows: ['contract/', 'http/client.ts', 'store/path.ts', 'http/send.ts'] },
  hooks: {
    knows: [
      'contract/base-url.ts',
      'contract/byte-order-mark.ts',
      'contract/hidden.ts',
      'client-side/',
      'daemon/',
      'cli/folders.ts',
      'client-side/session.ts',
    ],
  },
  'client-side': { knows: ['contract/', 'http/client.ts'] },
  care: { knows: ['contract/', 'store/'], packages: ['zod'] },
  panel: { knows: ['contract/hidden.ts'], knowsTypesOf: ['contract/'] },
};

type Import = Readonly<{ from: string; to: string; isOfTypes: boolean }>;

const imports = readFiles(['src'], /\.ts$/).flatMap(({ path, text }) => readImports(path, text));
const between = imports.filter(({ from, to }) => roomOf(from) !== roomOf(to) && roomOf(from) !== 'app');

describe.each(Object.entries(rooms))('the room %s', (name, { knows, knowsTypesOf = [], packages = [] }) => {
  const leaving = between.filter(({ from }) => roomOf(from) === name);

  test('knows no other room than it may', () => {
    const isAllowed = ({ to, isOfTypes }: Import) =>
      knows.some((known) => to.startsWith(known)) ||
      (isOfTypes && knowsTypesOf.some((known) => to.startsWith(known)));
    const inward = leaving.filter(({ to }) => !isPackage(to));
    expect(inward.filter((one) => !isAllowed(one)).map(toArrow)).toEqual([]);
  });

  test('knows no other package than it may', () => {
    const outward = leaving.filter(({ to }) => isPackage(to) && !to.startsWith('package node:'));
    const isAllowed = ({ to }: Import) => packages.some((known) => `${to}/`.startsWith(`package ${known}/`));
    expect(outward.filter((one) => !isAllowed(one)).map(toArrow)).toEqual([]);
  });
});

test('the contract and the page in the browser know nothing of Node.js', () => {
  const isPure = ({ from }: Import) => from.startsWith('contract/') || from.startsWith('panel/browser/');
  expect(imports.filter((one) => isPure(one) && one.to.startsWith('package node:')).map(toArrow)).toEqual([]);
});

test('every room has its arrows here, and no arrow is for a room that is gone', () => {
  const found = new Set(imports.map(({ from }) => roomOf(from)));
  expect([...found].sort()).toEqual([...Object.keys(rooms), 'app'].sort());
});

test('the imports are found, whatever form they have', () => {
  const text = [
    "import a, { type B } from '../contract/limits.ts';",
    "import type { C } from '../store/rows.ts';",
    'import {\n  type D,\n  type E,\n} from "../store/store.ts";',
    "export * from './here.ts';",
    "const late = await import('../app/compose.ts');",
    "import 'pg';",
  ].join('\n');
  expect(readImports('src/bus/one.ts', text)).toEqual([
    { from: 'bus/one.ts', to: 'contract/limits.ts', isOfTypes: false },
    { from: 'bus/one.ts', to: 'store/rows.ts', isOfTypes: true },
    { from: 'bus/one.ts', to: 'store/store.ts', isOfTypes: true },
    { from: 'bus/one.ts', to: 'bus/here.ts', isOfTypes: false },
    { from: 'bus/one.ts', to: 'app/compose.ts', isOfTypes: false },
    { from: 'bus/one.ts', to: 'package pg', isOfTypes: false },
  ]);
  expect(imports.length).toBeGreaterThan(200);
});

function readImports(path: string, text: string): Import[] {
  const from = path.replace(/^src\//, '');
  const form =
    /^\s*(?:import|export)\s+(type\s)?(?:([^'"`;()]*?)\s*from\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...text.matchAll(form)].map(([, type, names = '', still, late]) => ({
    from,
    to: toTarget(from, still ?? late ?? ''),
    isOfTypes: type !== undefined || areAllTypes(names),
  }));
}

function areAllTypes(names: string): boolean {
  const inner = /^\{(.*)\}$/s.exec(names.trim())?.[1];
  const each = inner?.split(',').map((name) => name.trim());
  return each?.filter(Boolean).every((name) => name.startsWith('type ')) ?? false;
}

function toTarget(from: string, name: string): string {
  return name.startsWith('.') ? join(dirname(from), name) : `package ${name}`;
}

function isPackage(target: string): boolean {
  return target.startsWith('package ');
}

/** The folder below src; a package is no room, and neither is a file at the root. */
function roomOf(file: string): string {
  return isPackage(file) ? 'package' : (/^([^/]+)\//.exec(file)?.[1] ?? '');
}

function toArrow({ from, to, isOfTypes }: Import): string {
  return `${from} → ${to}${isOfTypes ? ' (types)' : ''}`;
}

test('no files import each other in a circle, types included', () => {
  expect(findCircle(imports.filter(({ to }) => !isPackage(to)))).toEqual([]);
});

test('a circle is found, however many files it goes through', () => {
  const arrow = (from: string, to: string): Import => ({ from, to, isOfTypes: true });
  const around = [arrow('a', 'b'), arrow('b', 'c'), arrow('c', 'b')];
  expect(findCircle([arrow('a', 'b'), arrow('b', 'c')])).toEqual([]);
  expect(findCircle(around)).toEqual(['b', 'c']);
});

/** The files in a circle, and those that are imported from one; none when there is no circle. */
function findCircle(arrows: readonly Import[]): readonly string[] {
  // A file that imports nothing more is in no circle, and without it others may import nothing more either.
  const left = arrows.filter(({ to }) => arrows.some(({ from }) => from === to));
  if (left.length < arrows.length) return findCircle(left);
  return [...new Set(arrows.map(({ to }) => to))];
}
