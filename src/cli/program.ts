import { Command, Option } from 'commander';
import type { CommandDeclaration, CommandGroup } from './command.ts';
import type { Flags } from './config.ts';
import { toRootHelp } from './help.ts';
import { type Reader, type Setting, type SettingName, settingEntries } from './settings.ts';

/** What was typed: which command, with which arguments, flags and settings. */
export type Typed = Readonly<{
  declaration: CommandDeclaration;
  operands: readonly string[];
  /** The operands after `--`: the arguments of another program. */
  trailing: readonly string[];
  flags: Readonly<Record<string, unknown>>;
  settings: Flags;
}>;

/**
 * Reads the arguments. Answers nothing when help or the version was asked for and written.
 *
 * Throws commander's own error for what it does not know; nothing is run here.
 */
export function readArguments(
  given: Readonly<{
    argv: readonly string[];
    declarations: readonly CommandDeclaration[];
    defaultCommand: string;
    version: string;
    write(text: string): void;
  }>,
): Typed | undefined {
  const { argv, declarations, defaultCommand, version } = given;
  let typed: Typed | undefined;
  const program = createProgram(given).version(version, '-V, --version', 'Print the version');
  for (const declaration of declarations) {
    addCommand(program, declaration, (found) => {
      typed = { ...found, trailing: toTrailing(argv) };
    });
  }
  const { operands, unknown } = program.parseOptions([...argv]);
  const [name] = operands[0] === 'help' ? operands.slice(1) : operands;
  // Asked for the help of a command that there is not, the library prints the help of all.
  if (name !== undefined && ![...declarations, { name: 'help' }].some((one) => one.name === name)) {
    program.parse([name], { from: 'user' });
  }
  const isHelp = unknown.includes('--help') || unknown.includes('-h');
  // Nothing but settings was typed: they are read again as those of the command that is meant.
  const isBare = operands.length === 0 && !isHelp;
  program.parse(isBare ? [defaultCommand, ...argv] : [...argv], { from: 'user' });
  return typed;
}

/** The commands with their arguments and flags, for whoever describes them. */
export function toCommands(declarations: readonly CommandDeclaration[]): readonly Command[] {
  const program = createProgram({ write: () => {} });
  for (const declaration of declarations) addCommand(program, declaration, () => {});
  return program.commands;
}

function toTrailing(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? [] : argv.slice(end + 1);
}

function createProgram(given: Readonly<{ write(text: string): void }>): Command {
  const program = new Command('bus-mcp')
    .usage('[command] [flags]')
    .description(
      'A coordination bus for coding agents. Without a command it is the MCP server over standard input and output.',
    )
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: given.write,
      writeErr: given.write,
      // The message is in the error that is thrown, and is told by whoever catches it.
      outputError: () => {},
    })
    .configureHelp({ helpWidth: 100, subcommandTerm: toTerm })
    .commandsGroup('Run:')
    .helpCommand('help [command]', 'Print the help of a command')
    .helpOption('-h, --help', 'Print this help')
    .addHelpText('after', toRootHelp);
  for (const option of toSettingOptions([])) program.addOption(option);
  return program;
}

function addCommand(
  program: Command,
  declaration: CommandDeclaration,
  report: (typed: Omit<Typed, 'trailing'>) => void,
): void {
  const { guidance, name, readers, summary } = declaration;
  const command = program
    .command(name)
    .helpGroup(toHeading(declaration.group))
    .summary(summary)
    .description(guidance === undefined ? `${summary}.` : `${summary}.\n\n${guidance}`)
    .allowExcessArguments(false);
  declaration.declare?.(command);
  for (const option of toSettingOptions(readers)) command.addOption(option);
  command.action(() => {
    const flags = { ...program.opts(), ...command.opts() };
    report({ declaration, operands: command.args, flags, settings: toFlags(flags) });
  });
}

/** Every command has flags, so that is not worth a word in their list. */
function toTerm(command: Command): string {
  const operands = command.registeredArguments.map((one) => {
    const name = one.variadic ? `${one.name()}...` : one.name();
    return one.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...operands].join(' ');
}

function toHeading(group: CommandGroup): string {
  return `${group}:`;
}

/** Every setting is known to every command; its help shows the ones that it goes by. */
function toSettingOptions(readers: readonly Reader[]): readonly Option[] {
  return settingEntries.flatMap(([, setting]) => {
    const { defaultText, description, environment, flag, isNegatable, readBy } = setting;
    if (flag === undefined) return [];
    const text = `${description} (${environment}, default: ${defaultText})`;
    const flags = isNegatable ? [flag, toNegated(flag)] : [flag];
    const isShown = readBy.some((reader) => readers.includes(reader));
    return flags.map((one) =>
      new Option(one, one === flag ? text : `the same as ${environment}=0`)
        .helpGroup('Settings:')
        .hideHelp(!isShown),
    );
  });
}

function toFlags(flags: Readonly<Record<string, unknown>>): Flags {
  const entries = settingEntries.flatMap(([name, setting]): [SettingName, string | boolean][] => {
    const value = readFlag(setting, flags);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

function readFlag(setting: Setting, flags: Readonly<Record<string, unknown>>) {
  if (setting.flag === undefined) return undefined;
  const value = flags[new Option(setting.flag).attributeName()];
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}

function toNegated(flag: string): string {
  return flag.replace(/^--/, '--no-');
}
