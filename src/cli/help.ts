import type { CommandDeclaration } from './command.ts';
import { exitStatus } from './failure.ts';
import { flagNamesOf } from './setting-flags.ts';
import { hasMoreSettings } from './setting-options.ts';
import { settingEntries } from './settings.ts';

/** The end of a command's help: how to see its other settings. */
export function toCommandFooter(declaration: CommandDeclaration): string {
  return hasMoreSettings(declaration) ? `\nMore settings: bus-mcp ${declaration.name} --help --all` : '';
}

/** The part of the main help below the commands: every setting and the exit statuses. */
export function toRootHelp(): string {
  return ['', 'Settings (a flag wins over the variable):', ...settingLines(), '', exitLine, ''].join('\n');
}

const exitLine = `Exit status: ${exitStatus.done} done, ${exitStatus.refused} refused, ${exitStatus.usedWrongly} used wrongly, ${exitStatus.unreachable} bus unreachable.
Each command has its own help: bus-mcp <command> --help`;

function settingLines(): readonly string[] {
  const width = Math.max(...settingEntries.map(([, { environment }]) => environment.length));
  return settingEntries.flatMap(([, setting]) => {
    const { defaultText, description, environment, flag = '(no flag)', isNegatable } = setting;
    // If a flag has two names, show the first.
    const [name = flag] = flagNamesOf(setting);
    const shownFlag = `${isNegatable ? name.replace(/^--/, '--[no-]') : name}${flag.match(/ <.+>$/)?.[0] ?? ''}`;
    return [
      `  ${environment.padEnd(width)}  ${shownFlag}`,
      `  ${' '.repeat(width)}  ${description} (default: ${defaultText})`,
    ];
  });
}
