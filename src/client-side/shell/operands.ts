import type { Word } from './tokens.ts';

/** Which options of a program take a word of their own: short ones as letters, long ones by name. */
export type Valued = Readonly<{ letters?: string; names?: readonly string[] }>;

export type Arguments = Readonly<{
  operands: readonly Word[];
  /** Each option with its value, as far as it has one: `-t`, `--target-directory`. */
  options: readonly Readonly<{ name: string; value?: Word | undefined }>[];
}>;

/** Tells options from operands, as getopt does. */
export function readArguments(words: readonly Word[], { letters = '', names = [] }: Valued = {}): Arguments {
  const operands: Word[] = [];
  const options: { name: string; value?: Word | undefined }[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (!word) break;
    if (word.text === '--') return { operands: [...operands, ...words.slice(at + 1)], options };
    if (word.text.startsWith('--')) {
      const [name = '', ...value] = word.text.split('=');
      if (value.length > 0) options.push({ name, value: { ...word, text: value.join('=') } });
      else {
        const takesNext = names.includes(name);
        options.push({ name, value: takesNext ? words[at + 1] : undefined });
        if (takesNext) at += 1;
      }
    } else if (word.text.startsWith('-') && word.text !== '-') at = readCluster(words, at, letters, options);
    else operands.push(word);
  }
  return { operands, options };
}

/** `-rf` is two options, and `-tDIR` or `-t DIR` one with a value. Returns the place of the last word it took. */
function readCluster(
  words: readonly Word[],
  at: number,
  letters: string,
  options: { name: string; value?: Word | undefined }[],
): number {
  const word = words[at];
  const cluster = word?.text.slice(1) ?? '';
  for (const [index, letter] of [...cluster].entries()) {
    if (!letters.includes(letter)) {
      options.push({ name: `-${letter}` });
      continue;
    }
    const attached = cluster.slice(index + 1);
    if (word && attached !== '') options.push({ name: `-${letter}`, value: { ...word, text: attached } });
    else options.push({ name: `-${letter}`, value: words[at + 1] });
    return attached === '' ? at + 1 : at;
  }
  return at;
}
