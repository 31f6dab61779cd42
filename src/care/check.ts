/** One check and its finding. */
export type Check = Readonly<{ name: string; ok: boolean; finding: string }>;

/** Collects what is wrong with one thing. Names the first problems and counts the rest. */
export type Problems = Readonly<{
  add: (sentence: string) => void;
  /** `whenSound` is the finding when nothing is wrong. */
  toCheck: (name: string, whenSound: string) => Check;
}>;

const namedMax = 3;

export function createProblems(): Problems {
  const named: string[] = [];
  let count = 0;

  function add(sentence: string): void {
    count += 1;
    if (named.length < namedMax) named.push(sentence);
  }

  function toCheck(name: string, whenSound: string): Check {
    if (count === 0) return { name, ok: true, finding: whenSound };
    const more = count > named.length ? [`and ${count - named.length} more`] : [];
    return { name, ok: false, finding: [...named, ...more].join('; ') };
  }

  return { add, toCheck };
}

export function toCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
