import { Option } from 'commander';
import type { CommandDeclaration } from './command.ts';
import type { Flags } from './config.ts';
import { flagNamesOf, negatedFlagOf, takesValue } from './setting-flags.ts';
import { mainSettings, type Setting, type SettingName, settingEntries } from './settings.ts';

/**
 * Every command accepts every setting as a flag. Its help shows the main ones, or with `--all` every setting it
 * uses.
 */
export function toSettingOptions(
  { readers, mainSettings: own }: Pick<CommandDeclaration, 'readers' | 'mainSettings'>,
  isAll: boolean,
): readonly Option[] {
  const main = own ?? mainSettings[readers.at(-1) ?? 'tests'];
  return settingEntries.flatMap(([name, setting]) => {
    const { defaultText, description, environment, flag, isNegatable, readBy } = setting;
    if (flag === undefined) return [];
    const isRead = readBy.some((reader) => readers.includes(reader));
    const isShown = isAll ? isRead : main.includes(name);
    const text = `${description} (${environment}, default: ${defaultText})`;
    const flags = isNegatable ? [flag, negatedFlagOf(setting)] : [flag];
    return flags.map((one) =>
      new Option(one, one === flag ? text : `the same as ${environment}=0`)
        .helpGroup('Settings:')
        .hideHelp(!isShown),
    );
  });
}

/** Whether `--help --all` would show more of them. */
export function hasMoreSettings(declaration: Pick<CommandDeclaration, 'readers' | 'mainSettings'>): boolean {
  const countShown = (isAll: boolean) =>
    toSettingOptions(declaration, isAll).filter(({ hidden }) => !hidden).length;
  return countShown(true) > countShown(false);
}

/** What was typed for the settings, among all flags as commander gives them. */
export function toSettingFlags(flags: Readonly<Record<string, unknown>>): Flags {
  const entries = settingEntries.flatMap(([name, setting]): [SettingName, string | boolean][] => {
    const value = readFlag(setting, flags);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

function readFlag(setting: Setting, flags: Readonly<Record<string, unknown>>) {
  const name = flagNamesOf(setting).at(-1);
  if (name === undefined) return undefined;
  const value = flags[new Option(name).attributeName()];
  // The library says so of a setting with a value where a command has its opposite, and nobody has typed either.
  if (value === true && takesValue(setting)) return undefined;
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}
