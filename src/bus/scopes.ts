/**
 * Scopes: patterns over slash paths, as `docs/protocol.md` gives their grammar. `*` stands for any part of one segment,
 * a segment `**` for any number of segments, and everything else for itself. A pattern covers what it matches and all
 * that lies beneath.
 *
 * Both questions are decided exactly, by comparing two lists of segments. The libraries for globs only match a path
 * against a pattern; a lane registry has to compare two patterns, and a wrong "disjoint" lets two agents edit one file.
 */

/** Whether some path is covered by both. */
export function overlaps(a: string, b: string): boolean {
  return compareSegments(toScopeSegments(a), toScopeSegments(b), isEitherOver);
}

/** Whether the pattern covers the path itself, and not only something beneath it. A `*` in the path is a character. */
export function covers(pattern: string, path: string): boolean {
  return compareSegments(toScopeSegments(pattern), toPathSegments(path), isPatternOver);
}

/** A name without a star is a string; one with stars is its parts between them. */
type Name = string | readonly string[];

/** The segment `**` is no name: it stands for any number of them. */
const anySegments = undefined;
type Segment = Name | typeof anySegments;

/** Two spellings of one file compare equal: file systems that ignore case or the form of an accent are common. */
function toComparable(text: string): string {
  // Letter by letter, because toLowerCase looks at the neighbours of a Greek sigma.
  return Array.from(text.normalize('NFC'), (letter) => letter.toLowerCase())
    .join('')
    .normalize('NFC');
}

function toPathSegments(path: string): Segment[] {
  return toComparable(path).split('/');
}

function toScopeSegments(pattern: string): Segment[] {
  return toComparable(pattern).split('/').map(toSegment);
}

function toSegment(text: string): Segment {
  if (text === '**') return anySegments;
  return text.includes('*') ? text.split(/\*+/) : text;
}

type Rest = Readonly<{ a: readonly Segment[]; b: readonly Segment[] }>;

/** A pattern that is over covers all that lies beneath, whatever the other one still asks for. */
function isEitherOver({ a, b }: Rest): boolean {
  return a.length === 0 || b.length === 0;
}

/** A path that is over before its pattern lies above it, unless what is left of the pattern may be nothing. */
function isPatternOver({ a }: Rest): boolean {
  return a.every((segment) => segment === anySegments);
}

/**
 * Walks both lists from their ends. `reached[j]` says whether what is left of `a` and of `b` from `j` on can be the same
 * path; a row needs only the row after it. A `**` either stands for nothing, or takes one segment of the other side.
 */
function compareSegments(
  a: readonly Segment[],
  b: readonly Segment[],
  isMet: (rest: Rest) => boolean,
): boolean {
  let below: boolean[] = [];
  for (let i = a.length; i >= 0; i -= 1) {
    const reached: boolean[] = new Array(b.length + 1);
    for (let j = b.length; j >= 0; j -= 1) {
      const [one, other] = [a[i], b[j]];
      if (i === a.length || j === b.length) reached[j] = isMet({ a: a.slice(i), b: b.slice(j) });
      else if (one === anySegments || other === anySegments)
        reached[j] = below[j] === true || reached[j + 1] === true;
      else reached[j] = below[j + 1] === true && canBeSame(one, other);
    }
    below = reached;
  }
  return below[0] === true;
}

/** Whether one name fits both segments. */
function canBeSame(one: Name, other: Name): boolean {
  if (typeof one === 'string') return typeof other === 'string' ? one === other : fits(one, other);
  if (typeof other === 'string') return fits(other, one);
  // What stands before the first star and after the last is fixed on both sides; between them each has room for the other.
  const [start, otherStart] = [one[0] ?? '', other[0] ?? ''];
  const [end, otherEnd] = [one.at(-1) ?? '', other.at(-1) ?? ''];
  return (
    (start.startsWith(otherStart) || otherStart.startsWith(start)) &&
    (end.endsWith(otherEnd) || otherEnd.endsWith(end))
  );
}

/** Whether a name fits a segment with stars: its parts in order, the first at the start and the last at the end. */
function fits(name: string, parts: readonly string[]): boolean {
  const [start, end] = [parts[0] ?? '', parts.at(-1) ?? ''];
  if (name.length < start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) return false;
  let position = start.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= name.length - end.length;
}
