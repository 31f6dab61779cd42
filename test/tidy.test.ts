import { basename } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { findFunctions } from './tidy/functions.ts';
import { readFiles, type SourceFile } from './tidy/source-files.ts';

/** Taste as tests, without a waiver list. */

const folders = ['src', 'test', 'scripts', 'bench', 'examples', 'hooks'];
const product = readFiles(['src'], /\.ts$/);
// What is built from src is not what anybody reads.
const programs = readFiles(folders, /\.(ts|mjs)$/).filter(({ text }) => !text.startsWith('// Built from'));
const tests = readFiles(['test'], /\.ts$/);
const papers = readFiles(['docs', ...folders], /\.md$/);

const linesMax = 300;
const functionLinesMax = 60;

describe('every file', () => {
  test(`has at most ${linesMax} lines`, () => {
    expect(programs.filter(({ lines }) => lines.length > linesMax + 1).map(({ path }) => path)).toEqual([]);
  });

  test('has a name that says what is in it', () => {
    const empty = /^(utils?|common|helpers?|misc|shared|lib|types|constants)(\.test)?\.(ts|mjs)$/;
    expect(programs.filter(({ path }) => empty.test(basename(path))).map(({ path }) => path)).toEqual([]);
  });

  test('has nothing left to do', () => {
    expect(findWords(programs, ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'])).toEqual([]);
  });

  test('uses whole words', () => {
    const short = 'ctx cfg mgr req res cb idx tmp btn evt conn stmt param obj arr elem fn';
    expect(findWords(programs.map(withoutTexts), short.split(' '))).toEqual([]);
  });

  test('uses the words that a colleague would use', () => {
    const quaint = [
      'de' + 'ed',
      'de' + 'eds',
      'me' + 'nd',
      'me' + 'nds',
      'me' + 'nded',
      'an' + 'ew',
      'never' + 'more',
    ];
    const written = [
      ...quaint,
      ...quaint.map((word) => word.replace(/^./, (letter) => letter.toUpperCase())),
    ];
    expect(findWords([...programs, ...papers], written)).toEqual([]);
  });

  test('says nothing of the machine or the place where it was written', () => {
    const words = ['/work' + '/main', '/work' + '/shared', '/ro' + 'ot/'];
    const places = ['issues' + ' show', 'brief' + '.md', 'design' + '.md', 'wire' + '.md', 'models' + '.md'];
    const found = [...programs, ...papers].flatMap(({ path, text }) =>
      [...words, ...places].filter((word) => text.includes(word)).map((word) => `${path}: ${word}`),
    );
    expect(found).toEqual([]);
  });
});

describe('the product', () => {
  test(`has no function of ${functionLinesMax} lines or more, those of the functions in it not counted`, () => {
    const long = product
      .flatMap(findFunctions)
      .filter(({ ownLines }) => ownLines >= functionLinesMax)
      .map(({ path, name, ownLines }) => `${path}: ${name} has ${ownLines}`);
    expect(long).toEqual([]);
  });

  test('has no classes but errors', () => {
    const classes = findLines(product, /^\s*(export\s+)?(default\s+)?(abstract\s+)?class\s/);
    expect(classes.filter((line) => !/class \w+ extends \w*Error\b/.test(line))).toEqual([]);
  });

  test('has no default exports', () => {
    expect(findLines(product, /^export default\b|\bas default\b/)).toEqual([]);
  });
});

describe('the tests', () => {
  test('all run, and what cannot run everywhere says why', () => {
    expect(findLines(tests, /\b(describe|test|it)(\.\w+)*\.(only|skip|todo|fails)\b/)).toEqual([]);
    const silent = tests.filter(({ text }) => /\.(skipIf|runIf)\(/.test(text) && !text.includes('skipped: '));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

test('a function is measured without the functions in it', () => {
  const text = [
    'export function outer(): void {',
    '  const arrow = async (',
    '    given: string,',
    '  ) => {',
    '    work(given);',
    '  };',
    '  call(() => {',
    '    work();',
    '  });',
    '}',
  ].join('\n');
  expect(findFunctions({ path: 'a.ts', text, lines: text.split('\n') })).toEqual([
    { path: 'a.ts', name: 'outer', ownLines: 2 },
    { path: 'a.ts', name: 'arrow', ownLines: 5 },
    { path: 'a.ts', name: 'call', ownLines: 3 },
  ]);
});

function findLines(files: readonly SourceFile[], what: RegExp): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (what.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function findWords(files: readonly SourceFile[], words: readonly string[]): string[] {
  return findLines(files, new RegExp(`(?<![\\w.-])(${words.join('|')})(?![\\w-])`));
}

/** Texts and comments may use the words of others; names may not. */
function withoutTexts(file: SourceFile): SourceFile {
  const text = file.text.replace(
    /\/\*[\s\S]*?\*\/|\/\/.*|'(\\.|[^'\\\n])*'|"(\\.|[^"\\\n])*"|`[^`\n]*`/g,
    '',
  );
  return { ...file, text, lines: text.split('\n') };
}
