import { exitStatus } from './failure.ts';
import { settingEntries } from './settings.ts';

/** What the help of the root says below its commands: every setting, and what the exit statuses mean. */
export function toRootHelp(): string {
  return ['', 'Settings (a flag wins over the variable):', ...settingLines(), '', exitLine, ''].join('\n');
}

const exitLine = `Exit status: ${exitStatus.done} done, ${exitStatus.refused} refused, ${exitStatus.usedWrongly} used wrongly, ${exitStatus.unreachable} bus unreachable.
Each command has its own help: bus-mcp <command> --help`;

function settingLines(): readonly string[] {
  const width = Math.max(...settingEntries.map(([, { environment }]) => environment.length));
  return settingEntries.flatMap(([, { defaultText, description, environment, flag, isNegatable }]) => {
    const shownFlag = isNegatable ? flag?.replace(/^--/, '--[no-]') : flag;
    return [
      `  ${environment.padEnd(width)}  ${shownFlag ?? '(no flag)'}`,
      `  ${' '.repeat(width)}  ${description} (default: ${defaultText})`,
    ];
  });
}
