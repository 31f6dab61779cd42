import { type Redirection, readTokens, type Token, type Word } from './tokens.ts';

/** One command with its words and redirections, and the folder it runs in. */
export type Command = Readonly<{
  words: readonly Word[];
  redirections: readonly Redirection[];
  /** Undefined after a `cd` to where nobody can know. */
  folder: string | undefined;
}>;

/**
 * The simple commands of a command line, in order, whatever groups, conditions and loops they stand in. Empty for a line
 * that is not understood. The bodies of functions are left out: defining one runs nothing.
 */
export function readCommands(line: string, folder: string, changeFolder: ChangeFolder): readonly Command[] {
  const commands: Command[] = [];
  const scopes: (string | undefined)[] = [];
  let current: string | undefined = folder;
  for (const { words, redirections, ending } of toSimple(readTokens(line) ?? [])) {
    if (words.length + redirections.length > 0) commands.push({ words, redirections, folder: current });
    const isInPipe = ending === '|' || ending === '|&' || ending === '&';
    if (words[0]?.text === 'cd' && !isInPipe) current = changeFolder(words.slice(1), current);
    else if (['pushd', 'popd'].includes(words[0]?.text ?? '')) current = undefined;
    // What a group in parentheses changes ends with it.
    if (ending === '(') scopes.push(current);
    if (ending === ')') current = scopes.length > 0 ? scopes.pop() : current;
  }
  return commands;
}

/** Where `cd` with these words leads from a folder; undefined where that cannot be known. */
export type ChangeFolder = (words: readonly Word[], folder: string | undefined) => string | undefined;

type Simple = Readonly<{ words: Word[]; redirections: Redirection[]; ending: string }>;

/** Words that stand before a command, and words after which no command comes but a list of names. */
const leading = new Set([
  'if',
  'then',
  'elif',
  'else',
  'fi',
  'while',
  'until',
  'do',
  'done',
  '{',
  '}',
  '!',
  'time',
  'esac',
]);
const listing = new Set(['for', 'select', 'case', 'function', 'in']);

function toSimple(tokens: readonly Token[]): Simple[] {
  const all: Simple[] = [];
  let words: Word[] = [];
  let redirections: Redirection[] = [];
  const end = (ending: string) => {
    all.push({ ...toPlain(words, redirections), ending });
    [words, redirections] = [[], []];
  };
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token?.kind === 'word' && token.text === '{' && words[0]?.text === 'function') {
      words = [];
      at = toEndOfBody(tokens, at);
    } else if (token?.kind === 'word') words.push(token);
    else if (token?.kind === 'redirection') redirections.push(token);
    else if (isFunction(words, tokens, at)) {
      words = [];
      at = toEndOfBody(tokens, at + 2);
    } else end(token?.text ?? ';');
  }
  end(';');
  return all;
}

function toPlain(words: readonly Word[], redirections: Redirection[]): Omit<Simple, 'ending'> {
  const start = words.findIndex(
    ({ text, isQuoted }) => isQuoted || !(leading.has(text) || /^\w+\+?=/.test(text)),
  );
  const [first] = start < 0 ? [] : words.slice(start);
  if (first === undefined) return { words: [], redirections };
  if (!first.isQuoted && listing.has(first.text)) return { words: [], redirections: [] };
  // Inside [[ ]] and (( )) the signs compare.
  if (!first.isQuoted && (first.text === '[[' || first.text === '((')) return { words: [], redirections: [] };
  return { words: words.slice(start), redirections };
}

/** `name ( )` defines a function. */
function isFunction(words: readonly Word[], tokens: readonly Token[], at: number): boolean {
  const [opening, closing] = [tokens[at], tokens[at + 1]];
  const isParenthesis = (token: Token | undefined, text: string) =>
    token?.kind === 'operator' && token.text === text;
  return words.length > 0 && isParenthesis(opening, '(') && isParenthesis(closing, ')');
}

function toEndOfBody(tokens: readonly Token[], start: number): number {
  let depth = 0;
  for (let at = start; at < tokens.length; at += 1) {
    const token = tokens[at];
    const text =
      token?.kind === 'redirection' || (token?.kind === 'word' && token.isQuoted) ? '' : token?.text;
    if (text === '{' || text === '(') depth += 1;
    if (text === '}' || text === ')') depth -= 1;
    if (depth === 0 && (text === '}' || text === ')')) return at;
  }
  return tokens.length;
}
