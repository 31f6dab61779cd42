/** One thing that was looked at, and what was found. */
export type Check = Readonly<{ name: string; ok: boolean; finding: string }>;

/** Gathers what is wrong with one thing. The first problems are told, the rest is counted. */
export type Problems = Readonly<{
  add: (sentence: string) => void;
  /** `whenSound` is the finding when nothing was wrong. */
  toCheck: (name: string, whenSound: string) => Check;
}>;

const toldMax = 3;

export function createProblems(): Problems {
  const told: string[] = [];
  let count = 0;

  function add(sentence: string): void {
    count += 1;
    if (told.length < toldMax) told.push(sentence);
  }

  function toCheck(name: string, whenSound: string): Check {
    if (count === 0) return { name, ok: true, finding: whenSound };
    const more = count > told.length ? [`and ${count - told.length} more`] : [];
    return { name, ok: false, finding: [...told, ...more].join('; ') };
  }

  return { add, toCheck };
}

export function toCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
