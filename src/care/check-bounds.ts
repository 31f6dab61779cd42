import type { Counters } from '../store/rows.ts';
import { type Check, createProblems } from './check.ts';

/**
 * Ids and fences grow by one, and JavaScript counts exactly up to 2^53. A number above half of that never came from
 * a bus, and counting on from it would soon assign numbers twice.
 */
export const countMax = 2 ** 52;

/** The last moment in a four-digit year, because times are written with four-digit years. */
const timeMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Checks every number in every row against what a bus could have written. */
export function createBoundsCheck(totals: Counters) {
  const problems = createProblems();

  /** `which` names the row. It is only called for a wrong number. */
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

/** All numbers in a row, including nested ones. */
function* numbersOf(row: object): Generator<readonly [name: string, value: number]> {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'number') yield [name, value];
    else if (typeof value === 'object' && value !== null) yield* numbersOf(value);
  }
}

function isTime(name: string): boolean {
  return name === 'ts' || name === 'clockMilliseconds' || /(At|Until)$/.test(name);
}
