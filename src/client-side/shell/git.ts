import { readArguments } from './operands.ts';
import type { Word } from './tokens.ts';

/** What a `git` command surely writes in the work tree. What it does to all files at once, as `git pull`, is left out. */
export type GitWrites = Readonly<{
  /** The folder it runs in, relative to the command's: `-C`. */
  folder?: Word | undefined;
  targets: readonly Word[];
  /** Files that hold patches to apply. */
  patches: readonly Word[];
}>;

export function findWrittenByGit(words: readonly Word[]): GitWrites {
  let [at, folder]: [number, Word | undefined] = [0, undefined];
  for (; words[at]?.text.startsWith('-'); at += 1) {
    if (words[at]?.text === '-C') folder = words[at + 1];
    if (['-C', '-c', '--git-dir', '--work-tree', '--namespace'].includes(words[at]?.text ?? '')) at += 1;
  }
  const find = commands[words[at]?.text ?? ''];
  return { folder, targets: [], patches: [], ...find?.(words.slice(at + 1)) };
}

type Found = Readonly<{ targets?: readonly Word[]; patches?: readonly Word[] }>;

const commands: Readonly<Record<string, (words: readonly Word[]) => Found>> = {
  checkout: (words) => ({ targets: findCheckedOut(words) }),
  restore: (words) => {
    const { operands, options } = readArguments(words, { letters: 's', names: ['--source'] });
    const has = (...names: string[]) => options.some(({ name }) => names.includes(name));
    // With --staged alone only the index changes.
    return { targets: has('--staged', '-S') && !has('--worktree', '-W') ? [] : operands };
  },
  rm: (words) => {
    const { operands, options } = readArguments(words);
    const isKept = options.some(({ name }) => ['--cached', '--dry-run', '-n'].includes(name));
    return { targets: isKept ? [] : operands };
  },
  mv: (words) => {
    const { operands, options } = readArguments(words);
    return { targets: options.some(({ name }) => ['--dry-run', '-n'].includes(name)) ? [] : operands };
  },
  apply: (words) => {
    const { operands, options } = readArguments(words, {
      letters: 'pC',
      names: ['--directory', '--include', '--exclude'],
    });
    const isLookedAt = ['--check', '--stat', '--numstat', '--summary', '--cached'];
    return { patches: options.some(({ name }) => isLookedAt.includes(name)) ? [] : operands };
  },
};

/** Paths for sure: what comes after `--`, after a commit, or begins with a dot. A single word may be a branch. */
function findCheckedOut(words: readonly Word[]): readonly Word[] {
  const place = words.findIndex(({ text }) => text === '--');
  if (place >= 0) return words.slice(place + 1);
  const { operands, options } = readArguments(words, { letters: 'bB', names: ['--orphan', '--conflict'] });
  if (options.some(({ name }) => ['-b', '-B', '--orphan', '--detach', '-d', '--track', '-t'].includes(name)))
    return [];
  if (operands.length > 1) return operands.slice(1);
  return operands.filter(({ text }) => /^\.{1,2}(\/|$)/.test(text));
}
