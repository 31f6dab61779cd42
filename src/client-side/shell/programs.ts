import { readArguments, type Valued } from './operands.ts';
import type { Word } from './tokens.ts';

/** Which of a program's words name files that it writes. A name that ends in a slash is a folder to put files into. */
export type FindTargets = (words: readonly Word[]) => readonly Target[];

export type Target = Readonly<{
  word: Word;
  /** Where the word names a folder, what is written is the file of this name in it. */
  nameInFolder?: string | undefined;
}>;

export const programs: Readonly<Record<string, FindTargets>> = {
  tee: (words) => toTargets(readArguments(words).operands),
  rm: (words) => toTargets(readArguments(words).operands),
  rmdir: (words) => toTargets(readArguments(words).operands),
  unlink: (words) => toTargets(readArguments(words).operands),
  touch: (words) =>
    toTargets(readArguments(words, { letters: 'drt', names: ['--date', '--reference', '--time'] }).operands),
  truncate: (words) =>
    toTargets(readArguments(words, { letters: 'rs', names: ['--reference', '--size'] }).operands),
  dd: (words) =>
    words
      .filter(({ text }) => text.startsWith('of='))
      .map((word) => ({ word: { ...word, text: word.text.slice('of='.length) } })),
  cp: (words) => findCopied(words, copying).written,
  install: (words) => findCopied(words, installing).written,
  ln: (words) => findCopied(words, copying).written,
  mv: (words) => {
    const { sources, written } = findCopied(words, copying);
    return [...toTargets(sources), ...written];
  },
  sed: findEditedBySed,
  perl: findEditedByPerl,
};

const copying: Valued = { letters: 'tS', names: ['--target-directory', '--suffix'] };
const installing: Valued = {
  letters: 'tSmog',
  names: ['--target-directory', '--suffix', '--mode', '--owner', '--group'],
};

function toTargets(words: readonly Word[]): Target[] {
  return words.map((word) => ({ word }));
}

/** The last operand is where everything goes, unless an option names the folder. */
function findCopied(
  words: readonly Word[],
  valued: Valued,
): Readonly<{ sources: readonly Word[]; written: Target[] }> {
  const { operands, options } = readArguments(words, valued);
  const folder = options.find(({ name }) => name === '-t' || name === '--target-directory')?.value;
  const sources = folder ? operands : operands.slice(0, -1);
  const destination = folder ?? operands.at(-1);
  if (!destination || sources.length === 0) return { sources: [], written: [] };
  const written = sources.map((source) => ({
    word: { ...destination, isLiteral: destination.isLiteral && source.isLiteral },
    nameInFolder: source.text.replace(/\/+$/, '').split('/').at(-1),
  }));
  return { sources, written };
}

/** `sed` edits files only with `-i`, which may stand in a cluster and take a suffix: `-Ei.bak`. */
function findEditedBySed(words: readonly Word[]): Target[] {
  const isInPlace = (text: string) => /^-[nErsuz]*i/.test(text) || /^--in-place(=|$)/.test(text);
  const place = words.findIndex(({ text }) => isInPlace(text));
  if (place < 0) return [];
  // On macOS the suffix is a word of its own, most often an empty one.
  const others = words.filter(
    (_, index) => index !== place && !(index === place + 1 && words[index]?.text === ''),
  );
  const { operands, options } = readArguments(others, {
    letters: 'efl',
    names: ['--expression', '--file', '--line-length'],
  });
  const hasScript = options.some(({ name }) => ['-e', '-f', '--expression', '--file'].includes(name));
  return toTargets(hasScript ? operands : operands.slice(1));
}

/** `perl -i -pe SCRIPT FILE…`: `-e` takes the next word, and `-i` a suffix in its own. */
function findEditedByPerl(words: readonly Word[]): Target[] {
  const isOption = ({ text }: Word) => text.startsWith('-') && text !== '-';
  if (!words.some(({ text }) => /^-[a-zA-Z0]*i/.test(text))) return [];
  const script = words.findIndex(({ text }) => /^-[a-zA-Z0.]*[eE]$/.test(text));
  if (script < 0) return [];
  return toTargets(words.slice(script + 2).filter((word) => !isOption(word)));
}
