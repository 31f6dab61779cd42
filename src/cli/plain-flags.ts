import type { Flags } from './config.ts';
import { type SettingName, settingEntries } from './settings.ts';

/**
 * The settings that were typed, where nothing else was; undefined for anything that is not quite plain. This is for
 * who cannot wait until the reader of all commands is loaded.
 */
export function readPlainFlags(words: readonly string[]): Flags | undefined {
  const flags: Partial<Record<SettingName, string | boolean>> = {};
  for (let index = 0; index < words.length; index += 1) {
    const [, word, value] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(words[index] as string) ?? [];
    const found = settingEntries.find(
      ([, { flag }]) => flag?.split(' ')[0] === word?.replace(/^--no-/, '--'),
    );
    if (word === undefined || !found) return undefined;
    const [name, { flag, isNegatable }] = found;
    const isNegated = flag?.split(' ')[0] !== word;
    if (flag?.includes(' ') && !isNegated) {
      if (value === undefined) index += 1;
      const text = value ?? words[index];
      if (text === undefined) return undefined;
      flags[name] = text;
    } else {
      if (value !== undefined || (isNegated && !isNegatable)) return undefined;
      flags[name] = !isNegated;
    }
  }
  return flags;
}
