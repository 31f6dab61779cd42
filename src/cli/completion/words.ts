import type { Command } from 'commander';
import { operationsAt } from '../../contract/contract.ts';
import { toSnakeCase } from '../../contract/names.ts';
import { flagNamesOf } from '../setting-flags.ts';
import { settings } from '../settings.ts';

/** What can be typed after the name of a command, for the scripts of all shells. */
export type CommandWords = Readonly<{
  name: string;
  /** All names that run it, that one first. */
  names: readonly string[];
  summary: string;
  flags: readonly FlagWords[];
  operands: readonly OperandWords[];
}>;

export type FlagWords = Readonly<{
  /** With their dashes: one, or two that mean the same. */
  names: readonly string[];
  description: string;
  /** What comes after it; absent where nothing does. */
  value?: Readonly<{
    name: string;
    isFile: boolean;
    /** Empty where anything may be typed. */
    choices: readonly string[];
    /** Takes several values, separated by commas. */
    isList: boolean;
  }>;
}>;

export type OperandWords = Readonly<{
  name: string;
  /** Empty where anything may be typed. */
  choices: readonly string[];
  isFile: boolean;
  /** The rest of the line belongs to another program. */
  isRest: boolean;
}>;

export function toCommandWords(command: Command): CommandWords {
  return {
    name: command.name(),
    names: [command.name(), ...command.aliases()],
    summary: command.summary(),
    flags: [
      ...command.options.filter(({ hidden }) => !hidden).map(toFlagWords),
      { names: ['-h', '--help'], description: 'Print the help of this command' },
    ],
    operands: command.registeredArguments.map((one) => ({
      name: one.name(),
      choices: one.argChoices ?? [],
      isFile: isFileName(one.name()),
      isRest: one.variadic,
    })),
  };
}

/** The names of the flags that take a value. */
export function toValueFlags(
  commands: readonly CommandWords[],
  isWanted: (value: NonNullable<FlagWords['value']>) => boolean = () => true,
): readonly string[] {
  const flags = commands.flatMap((command) => command.flags);
  const wanted = flags.filter(({ value }) => value !== undefined && isWanted(value));
  return [...new Set(wanted.flatMap(({ names }) => names))];
}

function toFlagWords({ argChoices, description, flags, long, short }: Command['options'][number]): FlagWords {
  const names = [short, long].filter((name) => name !== undefined);
  const value = flags.match(/<(.+)>/)?.[1];
  if (value === undefined) return { names, description };
  const choices = argChoices ?? (long === toolsFlag ? toolNames : []);
  return {
    names,
    description,
    value: { name: value, isFile: isFileName(value), choices, isList: long === toolsFlag },
  };
}

const toolsFlag = flagNamesOf(settings.toolNames)[0];
const toolNames = operationsAt('mcp').map(([name]) => toSnakeCase(name));

/** A store is a file, unless it is a URL. */
function isFileName(name: string): boolean {
  return ['file', 'path', 'store'].includes(name);
}
