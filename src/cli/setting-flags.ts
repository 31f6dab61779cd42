import type { Setting } from './settings.ts';

/** The names of a setting's flag, the one for people first: `--timeout`, `--timeout-s`. None without a flag. */
export function flagNamesOf({ flag = '' }: Pick<Setting, 'flag'>): readonly string[] {
  return flag.split(/,? /).filter((word) => word.startsWith('--'));
}

/** Whether a value follows the flag. */
export function takesValue({ flag = '' }: Pick<Setting, 'flag'>): boolean {
  return flag.includes('<');
}

/** The flag that says the opposite. */
export function negatedFlagOf({ flag = '' }: Pick<Setting, 'flag'>): string {
  return flag.replace(/^--/, '--no-');
}
