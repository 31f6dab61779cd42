/** One thing the doctor checked: what it found, and what to do if something is wrong. */
export type Check = Readonly<{
  name: string;
  mark: 'ok' | 'warn' | 'fail';
  finding: string;
  remedy?: string;
}>;

export function ok(name: string, finding: string): Check {
  return { name, mark: 'ok', finding };
}

/** It works, but may surprise somebody. */
export function warn(name: string, finding: string, remedy: string): Check {
  return { name, mark: 'warn', finding, remedy };
}

/** It cannot work like this. */
export function fail(name: string, finding: string, remedy: string): Check {
  return { name, mark: 'fail', finding, remedy };
}
