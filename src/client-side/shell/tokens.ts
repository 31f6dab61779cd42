/**
 * A shell command line as tokens: words with their quotes taken off, operators, and redirections with their targets. It
 * knows as much of the grammar as it takes to be sure what is a word and what is not. What a variable or a substitution
 * would put into a word is unknown, and such a word says so.
 */
export type Token = Word | Operator | Redirection;

export type Word = Readonly<{
  kind: 'word';
  text: string;
  /** Whether the shell puts nothing else in its place: no variable, substitution or pattern but `*`. */
  isLiteral: boolean;
  isQuoted: boolean;
}>;
/** What separates commands, `(` and `)` included; a line break is `;`. */
type Operator = Readonly<{ kind: 'operator'; text: string }>;
export type Redirection = Readonly<{
  kind: 'redirection';
  /** Without the descriptor before it: `>`, `>>`, `<`, `<<` and so on. */
  operator: string;
  target: Word;
  /** The text of a here-document. */
  body?: Readonly<{ text: string; isLiteral: boolean }>;
}>;

/** Undefined for a text that is no whole command line, such as one with an open quote. */
export function readTokens(line: string): readonly Token[] | undefined {
  const reader: Reader = { line, at: 0, tokens: [], pending: [] };
  while (reader.at < line.length) if (!readToken(reader)) return undefined;
  return reader.pending.length === 0 ? reader.tokens : undefined;
}

type Reader = {
  readonly line: string;
  at: number;
  readonly tokens: Token[];
  /** Here-documents whose text begins on the next line: each with the place of its token. */
  pending: { place: number; delimiter: string; isQuoted: boolean; isIndented: boolean }[];
};

const redirection = /(?:\d+|\{\w+\})?(&>>|&>|<<<|<<-|<<|<>|<&|>>|>\||>&|<(?!\()|>(?!\())/y;
const separator = /&&|\|\||\|&|;;&|;;|;&|[;&|()\n]/y;

function readToken(reader: Reader): boolean {
  skip(reader, /(?:[ \t\r]|\\\r?\n)+/y);
  skip(reader, /#[^\n]*/y);
  if (reader.at >= reader.line.length) return true;
  const arithmetic = match(reader, /\(\((?:[^()\n]|\([^()\n]*\))*\)\)/y);
  if (arithmetic)
    return reader.tokens.push({ kind: 'word', text: '((', isLiteral: false, isQuoted: false }) > 0;
  const redirected = match(reader, redirection);
  if (redirected) return readRedirection(reader, redirected[1] ?? '');
  const separated = match(reader, separator)?.[0];
  if (separated === undefined) return pushWord(reader);
  reader.tokens.push({ kind: 'operator', text: separated === '\n' ? ';' : separated });
  return separated === '\n' ? readBodies(reader) : true;
}

function pushWord(reader: Reader): boolean {
  const word = readWord(reader);
  if (word) reader.tokens.push(word);
  return word !== undefined;
}

function readRedirection(reader: Reader, operator: string): boolean {
  skip(reader, /(?:[ \t]|\\\r?\n)+/y);
  const target = readWord(reader);
  if (!target) return false;
  if (operator === '<<' || operator === '<<-') {
    const { text: delimiter, isQuoted } = target;
    const place = reader.tokens.length;
    reader.pending.push({ place, delimiter, isQuoted, isIndented: operator === '<<-' });
  }
  reader.tokens.push({ kind: 'redirection', operator, target });
  return true;
}

/** Reads the texts of the here-documents that the line before announced. One without its end goes to the end of all. */
function readBodies(reader: Reader): boolean {
  for (const { place, delimiter, isQuoted, isIndented } of reader.pending) {
    const lines: string[] = [];
    while (reader.at < reader.line.length) {
      const end = reader.line.indexOf('\n', reader.at);
      const whole = reader.line.slice(reader.at, end < 0 ? undefined : end).replace(/\r$/, '');
      reader.at = end < 0 ? reader.line.length : end + 1;
      const line = isIndented ? whole.replace(/^\t+/, '') : whole;
      if (line === delimiter) break;
      lines.push(line);
    }
    const text = lines.map((line) => `${line}\n`).join('');
    const token = reader.tokens[place];
    const body = { text, isLiteral: isQuoted || !/[$`\\]/.test(text) };
    if (token?.kind === 'redirection') reader.tokens[place] = { ...token, body };
  }
  reader.pending = [];
  return true;
}

/** A word up to the next blank or operator outside quotes. Undefined where none begins or a quote stays open. */
function readWord(reader: Reader): Word | undefined {
  const start = reader.at;
  let [text, isLiteral, isQuoted] = ['', true, false];
  for (;;) {
    const plain = match(reader, /[^\s'"\\$`;&|()<>]+/y)?.[0];
    if (plain !== undefined) {
      // A pattern but `*`, or a list in braces, stands for names that are not known here.
      if (/[?[]|\{[^}]*(?:,|\.\.)[^}]*\}/.test(plain)) isLiteral = false;
      text += plain;
      continue;
    }
    const part = readQuoted(reader);
    if (part === 'open') return undefined;
    if (part === undefined) break;
    text += part.text;
    isLiteral &&= part.isLiteral;
    isQuoted ||= part.isQuoted;
  }
  return reader.at === start ? undefined : { kind: 'word', text, isLiteral, isQuoted };
}

type Part = Readonly<{ text: string; isLiteral: boolean; isQuoted: boolean }>;

/** The next part of a word that is no plain text: in quotes, after a backslash, or for the shell to put in. */
function readQuoted(reader: Reader): Part | 'open' | undefined {
  const continued = match(reader, /\\\r?\n/y);
  if (continued) return { text: '', isLiteral: true, isQuoted: false };
  const escaped = match(reader, /\\([\s\S])/y);
  if (escaped) return { text: escaped[1] ?? '', isLiteral: true, isQuoted: true };
  const single = match(reader, /\$?'([^']*)'/y);
  // $'…' has escapes of its own.
  if (single) return { text: single[1] ?? '', isLiteral: !single[0].startsWith('$'), isQuoted: true };
  const double = match(reader, /\$?"((?:[^"\\$`]|\\[\s\S])*)"/y);
  if (double) {
    const text = (double[1] ?? '').replace(/\\(["\\$`])|\\\n/g, '$1');
    return { text, isLiteral: !double[0].startsWith('$'), isQuoted: true };
  }
  const rest = reader.line.slice(reader.at);
  if (!/^["$`]|^[<>]\(/.test(rest)) return /^['\\]/.test(rest) ? 'open' : undefined;
  const length = toSubstitutionLength(rest);
  if (length === 0) return 'open';
  reader.at += length;
  return { text: '', isLiteral: false, isQuoted: rest.startsWith('"') };
}

/** How long the quoted text or substitution at the beginning is, with all that is nested in it; 0 when it has no end. */
function toSubstitutionLength(text: string): number {
  const opening = /^(?:"|`|[$<>]\(|\$\{|\$[\w@*#?$!-]?)/.exec(text)?.[0] ?? '';
  if (opening.startsWith('$') && !/[({]$/.test(opening)) return opening.length;
  const closing = { '"': '"', '`': '`', '${': '}' }[opening] ?? ')';
  for (let at = opening.length; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (letter === closing) return at + 1;
    if (letter === '\\') at += 1;
    else if (letter === "'" && closing !== '"') {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return 0;
      at = end;
    } else if (
      letter === '$' ||
      (letter === '`' && closing !== '`') ||
      (letter === '"' && closing !== '"') ||
      letter === '('
    ) {
      const inner = letter === '(' ? `$${text.slice(at)}` : text.slice(at);
      const length = toSubstitutionLength(inner);
      if (length === 0) return 0;
      at += length - (letter === '(' ? 2 : 1);
    }
  }
  return 0;
}

function skip(reader: Reader, pattern: RegExp): void {
  match(reader, pattern);
}

function match(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.line);
  if (!found) return undefined;
  reader.at += found[0].length;
  return found;
}
