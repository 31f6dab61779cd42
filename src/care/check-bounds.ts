import type { Counters } from '../store/rows.ts';
import { type Check, createProblems } from './check.ts';

/**
 * Ids and fences grow by one, and JavaScript counts exactly up to 2^53. What is beyond half of that was never given by a
 * bus, and would soon be given twice.
 */
export const countMax = 2 ** 52;

/** The last moment that fits into a year of four digits, which is how times are written. */
const timeMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Holds every number of every row against what a bus could have written. */
export function createBoundsCheck(totals: Counters) {
  const problems = createProblems();

  /** `which` names the row, and is only asked for a number that is wrong. */
  function see(which: () => string, row: object): void {
    for (const [name, value] of numbersOf(row)) {
      const max = isTime(name) ? timeMax : countMax;
      if (Number.isSafeInteger(value) && value >= 0 && value <= max) continue;
      problems.add(`${which()} has ${name} ${value}, and a bus writes numbers from 0 to ${max} there`);
    }
  }

  see(() => 'the row of counters', totals);
  const end = (): Check => problems.toCheck('numbers', 'all are in their bounds');
  return { see, end };
}

/** The numbers of a row, and of what is in it. */
function* numbersOf(row: object): Generator<readonly [name: string, value: number]> {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'number') yield [name, value];
    else if (typeof value === 'object' && value !== null) yield* numbersOf(value);
  }
}

function isTime(name: string): boolean {
  return name === 'ts' || name === 'clockMilliseconds' || /(At|Until)$/.test(name);
}
