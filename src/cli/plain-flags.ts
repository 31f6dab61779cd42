import type { Flags } from './config.ts';
import { flagNamesOf, takesValue } from './setting-flags.ts';
import { type SettingName, settingEntries } from './settings.ts';

/**
 * The settings that were typed, if nothing else was; undefined for anything more complicated. For callers that
 * cannot wait for the full parser to load.
 */
export function readPlainFlags(words: readonly string[]): Flags | undefined {
  const flags: Partial<Record<SettingName, string | boolean>> = {};
  for (let index = 0; index < words.length; index += 1) {
    const [, word, value] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(words[index] as string) ?? [];
    const found = settingEntries.find(([, setting]) =>
      flagNamesOf(setting).includes(word?.replace(/^--no-/, '--') ?? ''),
    );
    if (word === undefined || !found) return undefined;
    const [name, setting] = found;
    const isNegated = !flagNamesOf(setting).includes(word);
    if (takesValue(setting) && !isNegated) {
      if (value === undefined) index += 1;
      const text = value ?? words[index];
      if (text === undefined) return undefined;
      flags[name] = text;
    } else {
      if (value !== undefined || (isNegated && !setting.isNegatable)) return undefined;
      flags[name] = !isNegated;
    }
  }
  return flags;
}
