import { Command, CommanderError, type Option } from 'commander';
import type { CommandDeclaration, CommandGroup } from './command.ts';
import type { Flags } from './config.ts';
import { toCommandFooter, toRootHelp } from './help.ts';
import { findNearest } from './nearest.ts';
import { toSettingFlags, toSettingOptions } from './setting-options.ts';

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
 * Parses the arguments without running anything. Returns undefined after it has printed the help or the version.
 * Throws commander's own error for anything unknown.
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
  const { declarations, defaultCommand, version } = given;
  const { argv, isAll } = takeAllFlag(given.argv);
  let typed: Typed | undefined;
  const program = createProgram(given).version(version, '-v, --version', 'Print the version');
  for (const declaration of declarations) {
    addCommand(program, { declaration, isAll }, (found) => {
      typed = { ...found, trailing: toTrailing(argv) };
    });
  }
  const { operands, unknown } = program.parseOptions([...argv]);
  const [name] = operands[0] === 'help' ? operands.slice(1) : operands;
  // The library would respond to help for an unknown command with the help of all commands.
  if (name !== undefined) refuseUnknown(name, declarations);
  const isHelp = unknown.includes('--help') || unknown.includes('-h');
  // Only settings were typed, so parse them again as those of the default command.
  const isBare = operands.length === 0 && !isHelp;
  program.parse(isBare ? [defaultCommand, ...argv] : [...argv], { from: 'user' });
  return typed;
}

function refuseUnknown(name: string, declarations: readonly CommandDeclaration[]): void {
  const isKnown = declarations.some((one) => one.name === name || one.aliases?.includes(name));
  if (isKnown || name === 'help') return;
  const nearest = findNearest(name, declarations);
  const hint = nearest === undefined ? '' : ` (Did you mean ${nearest}?)`;
  throw new CommanderError(1, 'commander.unknownCommand', `unknown command '${name}'${hint}`);
}

/** With `--help`, `--all` belongs to the help. Anywhere else it is left alone. */
function takeAllFlag(argv: readonly string[]): Readonly<{ argv: readonly string[]; isAll: boolean }> {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  // `-V` is the old name of `-v`.
  if (own[0] === '-V') return { argv: ['-v', ...argv.slice(1)], isAll: false };
  const isHelp = own[0] === 'help' || own.some((word) => word === '--help' || word === '-h');
  if (!isHelp || !own.includes('--all')) return { argv, isAll: false };
  return { argv: [...own.filter((word) => word !== '--all'), ...argv.slice(own.length)], isAll: true };
}

/** The commands with all their arguments and flags, for code that describes them. */
export function toCommands(declarations: readonly CommandDeclaration[]): readonly Command[] {
  const program = createProgram({ write: () => {} });
  for (const declaration of declarations) addCommand(program, { declaration, isAll: true }, () => {});
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
      // The thrown error contains the message, and the caller prints it.
      outputError: () => {},
    })
    .configureHelp({ helpWidth: 100, subcommandTerm: toTerm, optionTerm: toFlagTerm })
    .commandsGroup('Run:')
    .helpCommand('help [command]', 'Print the help of a command')
    .helpOption('-h, --help', 'Print this help')
    .addHelpText('after', toRootHelp);
  for (const option of toSettingOptions({ readers: [] }, true)) program.addOption(option);
  return program;
}

function addCommand(
  program: Command,
  { declaration, isAll }: Readonly<{ declaration: CommandDeclaration; isAll: boolean }>,
  report: (typed: Omit<Typed, 'trailing'>) => void,
): void {
  const { aliases = [], guidance, name, summary } = declaration;
  const command = program
    .command(name)
    .aliases([...aliases])
    .helpGroup(toHeading(declaration.group))
    .summary(summary)
    .description(guidance === undefined ? `${summary}.` : `${summary}.\n\n${guidance}`)
    .allowExcessArguments(false);
  declaration.declare?.(command);
  for (const option of toSettingOptions(declaration, isAll)) command.addOption(option);
  if (!isAll) command.addHelpText('after', toCommandFooter(declaration));
  command.action(() => {
    const flags = { ...program.opts(), ...command.opts() };
    report({ declaration, operands: command.args, flags, settings: toSettingFlags(flags) });
  });
}

/** Every command has flags, so the list does not say so. */
function toTerm(command: Command): string {
  const operands = command.registeredArguments.map((one) => {
    const name = one.variadic ? `${one.name()}...` : one.name();
    return one.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...operands].join(' ');
}

/** Where a flag has a short and a long name, as `--wait` and `--wait-s`, the help shows the short one. */
function toFlagTerm({ flags }: Option): string {
  return flags.replace(/(--[a-z-]+), --[a-z-]+/, '$1');
}

function toHeading(group: CommandGroup): string {
  return `${group}:`;
}
