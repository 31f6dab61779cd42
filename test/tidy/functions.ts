import type { SourceFile } from './source-files.ts';

export type FoundFunction = Readonly<{ path: string; name: string; ownLines: number }>;

type Span = Readonly<{ name: string; first: number; last: number }>;

/**
 * The functions of a file and how many lines each has without those of the functions in it. Goes by the indentation,
 * which the formatter keeps right: a function begins where its head stands and ends at the next closing brace there.
 */
export function findFunctions({ path, lines }: SourceFile): FoundFunction[] {
  const spans = lines.flatMap((line, index): Span[] => {
    if (!line.endsWith('{')) return [];
    const first = findHead(lines, index);
    const name = nameOf(lines[first] as string, line);
    return name === undefined ? [] : [{ name, first, last: findEnd(lines, index) }];
  });
  return spans.map((span) => ({ path, name: span.name, ownLines: countOwnLines(span, spans) }));
}

/** The line with the name, for a line that ends with the opening brace of the body. */
function findHead(lines: readonly string[], index: number): number {
  const line = lines[index] as string;
  if (!/^\s*[)}\]]/.test(line)) return index;
  for (let head = index - 1; head >= 0; head -= 1) {
    const candidate = lines[head] as string;
    if (indentationOf(candidate) === indentationOf(line) && !/^\s*[)}\]]/.test(candidate)) return head;
  }
  return index;
}

function findEnd(lines: readonly string[], index: number): number {
  const indentation = indentationOf(lines[index] as string);
  const end = lines.findIndex(
    (line, later) => later > index && /^\s*\}/.test(line) && indentationOf(line) === indentation,
  );
  return end < 0 ? lines.length - 1 : end;
}

const notFunctions = /^(if|for|while|switch|catch|else|do|try|return|type|interface|class)\b/;

/** Undefined when the brace opens something else than the body of a function. */
function nameOf(head: string, opening: string): string | undefined {
  const text = head.trim().replace(/^(export\s+)?(default\s+)?(async\s+)?/, '');
  const named = /^function\*?\s*(\w*)/.exec(text);
  if (named) return named[1];
  if (opening.endsWith('=> {'))
    return /[\w$]+/.exec(text.replace(/^(const|let|return|await)\s+/, ''))?.[0] ?? '';
  if (notFunctions.test(text) || !/\)(: .+)? \{$/.test(opening)) return undefined;
  return /^(?:get |set |async )?([\w$]+)\(/.exec(text)?.[1];
}

function countOwnLines(span: Span, spans: readonly Span[]): number {
  const inner = spans.filter(
    (other) => other !== span && other.first >= span.first && other.last <= span.last,
  );
  const isInner = (line: number) => inner.some(({ first, last }) => first <= line && line <= last);
  let count = 0;
  for (let line = span.first; line <= span.last; line += 1) if (!isInner(line)) count += 1;
  return count;
}

function indentationOf(line: string): number {
  return line.length - line.trimStart().length;
}
