import { isAbsolute, join } from 'node:path';
import { type Command, readCommands } from './commands.ts';
import { findWrittenByGit } from './git.ts';
import { findPatched } from './patch.ts';
import { programs, type Target } from './programs.ts';
import type { Word } from './tokens.ts';

export type Surroundings = Readonly<{
  /** The folder that the command line starts in. */
  folder: string;
  isFolder: (path: string) => boolean;
  /** The text of a patch that is about to be applied; undefined where it cannot be read. */
  readPatch: (path: string) => string | undefined;
}>;

/**
 * The files that a command line surely writes, as absolute paths or patterns. What a variable, a substitution or a
 * program that is not known here would write is left out: a guard that guesses refuses what it should not.
 */
export function findWritten(line: string, surroundings: Surroundings): readonly string[] {
  return [...new Set(findIn(line, surroundings, 0))];
}

/** `sh -c "sh -c …"` ends somewhere. */
const depthMax = 4;

function findIn(line: string, surroundings: Surroundings, depth: number): string[] {
  if (depth > depthMax) return [];
  return readCommands(line, surroundings.folder, changeFolder).flatMap((command) => {
    const written = [...findRedirected(command), ...findByProgram(command, surroundings, depth)];
    return written.flatMap((path) => path ?? []);
  });
}

function changeFolder(words: readonly Word[], folder: string | undefined): string | undefined {
  const [word, ...more] = words.filter(({ text }) => text !== '--');
  if (!word?.isLiteral || more.length > 0 || word.text === '-' || word.text.includes('*')) return undefined;
  return toPath(word, folder);
}

/** Undefined for a word that is not known, or that depends on a folder that is not. */
function toPath(word: Word | undefined, folder: string | undefined): string | undefined {
  if (!word?.isLiteral || word.text === '') return undefined;
  const isHome = word.text === '~' || word.text.startsWith('~/');
  if (isAbsolute(word.text) || (isHome && !word.isQuoted)) return word.text;
  return folder === undefined ? undefined : join(folder, word.text);
}

const writing = new Set(['>', '>>', '>|', '&>', '&>>', '<>']);

function findRedirected({ redirections, folder }: Command): (string | undefined)[] {
  return redirections
    .filter(
      ({ operator, target }) =>
        writing.has(operator) || (operator === '>&' && !/^(\d+-?|-)$/.test(target.text)),
    )
    .filter(({ target }) => !target.text.startsWith('/dev/'))
    .map(({ target }) => toPath(target, folder));
}

function findByProgram(command: Command, surroundings: Surroundings, depth: number): (string | undefined)[] {
  const words = withoutWrappers(command.words);
  const [program, ...rest] = words;
  const { folder } = command;
  if (!program?.isLiteral || folder === undefined) return absoluteOnly(program, rest);
  const name = program.text.split('/').at(-1) ?? '';
  const inner = toInnerLine(name, rest, command);
  if (inner !== undefined) return findIn(inner, { ...surroundings, folder }, depth + 1);
  if (name === 'apply_patch' || name === 'applypatch') return findByPatch(rest, command);
  if (name === 'git') return findByGit(rest, folder, surroundings);
  return (programs[name]?.(rest) ?? []).map((target) => toWritten(target, folder, surroundings));
}

/** After a `cd` to where nobody knows, whole paths still say what is written. */
function absoluteOnly(program: Word | undefined, words: readonly Word[]): (string | undefined)[] {
  if (!program?.isLiteral) return [];
  return (programs[program.text]?.(words) ?? []).map(({ word }) => toPath(word, undefined));
}

function toWritten(
  { word, nameInFolder }: Target,
  folder: string,
  { isFolder }: Surroundings,
): string | undefined {
  const path = toPath(word, folder);
  if (path === undefined || nameInFolder === undefined) return path;
  return word.text.endsWith('/') || isFolder(path) ? join(path, nameInFolder) : path;
}

/** Programs that run the rest of their words as a command. */
const wrappers: Readonly<Record<string, RegExp>> = {
  sudo: /^-/,
  env: /^-|^\w+=/,
  command: /^-p$/,
  exec: /^-[cl]+$/,
  builtin: /^$/,
  nohup: /^$/,
  time: /^-p$/,
  nice: /^-|^\d+$/,
  timeout: /^-|^[\d.]+[smhd]?$/,
  stdbuf: /^-/,
};

function withoutWrappers(words: readonly Word[]): readonly Word[] {
  const own = wrappers[words[0]?.text ?? ''];
  if (!own) return words;
  const next = words.findIndex(({ text }, index) => index > 0 && !own.test(text));
  return next < 0 ? [] : withoutWrappers(words.slice(next));
}

/** The command line that a shell is told to run: after `-c`, or as its input. */
function toInnerLine(name: string, words: readonly Word[], { redirections }: Command): string | undefined {
  if (name === 'eval')
    return words.every(({ isLiteral }) => isLiteral) ? words.map(({ text }) => text).join(' ') : '';
  if (!/^(ba|da|z|k)?sh$/.test(name)) return undefined;
  const place = words.findIndex(({ text }) => /^-[a-z]*c$/.test(text));
  const line = place < 0 ? undefined : words.slice(place + 1).find(({ text }) => !text.startsWith('-'));
  if (line) return line.isLiteral ? line.text : '';
  const body = redirections.find(({ operator }) => operator.startsWith('<<'))?.body;
  return body?.isLiteral && words.length === 0 ? body.text : undefined;
}

function findByPatch(words: readonly Word[], { redirections, folder }: Command): (string | undefined)[] {
  const body = redirections.map((one) => one.body?.text ?? (one.operator === '<<<' ? one.target.text : ''));
  const patch = [...words.filter(({ isLiteral }) => isLiteral).map(({ text }) => text), ...body].join('\n');
  return findPatched(patch).map((text) =>
    toPath({ kind: 'word', text, isLiteral: true, isQuoted: true }, folder),
  );
}

function findByGit(
  words: readonly Word[],
  folder: string,
  { readPatch }: Surroundings,
): (string | undefined)[] {
  const git = findWrittenByGit(words);
  const inFolder = git.folder ? toPath(git.folder, folder) : folder;
  const patched = git.patches.flatMap((word) => {
    const path = toPath(word, inFolder);
    return path === undefined ? [] : findPatched(readPatch(path) ?? '');
  });
  return [
    ...git.targets.map((word) => toPath(word, inFolder)),
    ...patched.map((text) => toPath({ kind: 'word', text, isLiteral: true, isQuoted: true }, inFolder)),
  ];
}
