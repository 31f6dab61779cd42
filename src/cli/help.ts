import type { CommandDeclaration } from './command.ts';
import { exitStatus } from './failure.ts';
import { flagNamesOf } from './setting-flags.ts';
import { hasMoreSettings } from './setting-options.ts';
import { settingEntries } from './settings.ts';

/** The end of the help of a command: where its other settings are. */
export function toCommandFooter(declaration: CommandDeclaration): string {
  return hasMoreSettings(declaration) ? `\nMore settings: bus-mcp ${declaration.name} --help --all` : '';
}

/** What the root help says below its commands: every setting, and the meaning of the exit statuses. */
export function toRootHelp(): string {
  return ['', 'Settings (a flag wins over the variable):', ...settingLines(), '', exitLine, ''].join('\n');
}

const exitLine = `Exit status: ${exitStatus.done} done, ${exitStatus.refused} refused, ${exitStatus.usedWrongly} used wrongly, ${exitStatus.unreachable} bus unreachable.
Each command has its own help: bus-mcp <command> --help`;

function settingLines(): readonly string[] {
  const width = Math.max(...settingEntries.map(([, { environment }]) => environment.length));
  return settingEntries.flatMap(([, setting]) => {
    const { defaultText, description, environment, flag = '(no flag)', isNegatable } = setting;
    // Of two names for one flag, the first is enough.
    const [name = flag] = flagNamesOf(setting);
    const shownFlag = `${isNegatable ? name.replace(/^--/, '--[no-]') : name}${flag.match(/ <.+>$/)?.[0] ?? ''}`;
    return [
      `  ${environment.padEnd(width)}  ${shownFlag}`,
      `  ${' '.repeat(width)}  ${description} (default: ${defaultText})`,
    ];
  });
}
