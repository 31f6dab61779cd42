import { describe, expect, it } from 'vitest';
import { careCommands } from '../../src/app/care-commands.ts';
import { localCommands } from '../../src/app/local-commands.ts';
import { flagNamesOf } from '../../src/cli/setting-flags.ts';
import { settingEntries } from '../../src/cli/settings.ts';
import { runToEnd } from './command-line.ts';

const extraCommands = [...localCommands, ...careCommands];
const commands = [...(await help('--help')).matchAll(/^ {2}([a-z]+(?:-[a-z]+)*)\b.*$/gm)]
  .map(([, name]) => name as string)
  .filter((name) => name !== 'help');

describe('the help of a command', () => {
  it.each(commands)('%s shows at most five settings, and says how to see the others', async (name) => {
    const short = toSettings(await help(name, '--help'));
    const all = toSettings(await help(name, '--help', '--all'));
    expect(short.length).toBeLessThanOrEqual(5);
    expect(all).toEqual(expect.arrayContaining(short));
    const footer = `More settings: bus-mcp ${name} --help --all`;
    expect((await help(name, '--help')).includes(footer)).toBe(all.length > short.length);
    expect(await help(name, '--help', '--all')).not.toContain(footer);
    expect(await help('help', name, '--all')).toBe(await help(name, '--help', '--all'));
  });

  it.each(commands)('%s speaks of flags and commands, never of fields and tools', async (name) => {
    expect((await help(name, '--help', '--all')).match(/\b[a-z]+_[a-z_]+\b/g)).toBeNull();
  });

  it('shows every setting that the command goes by with --all', async () => {
    const { length } = settingEntries.filter(([, { flag, readBy }]) => flag && readBy.includes('bus'));
    expect(toSettings(await help('serve', '--help', '--all'))).toHaveLength(length);
  });

  it('shows the short one of two names for a flag', async () => {
    const text = await help('claim', '--help');
    expect(text).toContain('--wait <duration>');
    expect(text).not.toContain('--wait-s');
  });
});

describe('the help of the program', () => {
  it.each(settingEntries)('names %s with its variable, flag, default and meaning', async (_, setting) => {
    const { output } = await runToEnd(['--help']);
    const line = output.split('\n').findIndex((text) => text.includes(` ${setting.environment} `));
    const rows = output.split('\n').slice(line, line + 2);
    const [name = '(no flag)'] = flagNamesOf(setting);
    expect(rows[0]).toContain(name.replace('--', ''));
    expect(rows[1]?.trim()).toBe(`${setting.description} (default: ${setting.defaultText})`);
  });

  it('of a command shows the settings that it goes by', async () => {
    const { output } = await runToEnd(['serve', '--help']);
    expect(output).toContain('--port <number>');
    expect(output).not.toContain('--read-only');
  });

  it('has no flag for the secret, only for the file that holds it', async () => {
    const { output } = await runToEnd(['--help']);
    expect(output.match(/--\S*secret\S*/g)).toEqual(['--write-secret-file']);
  });
});

it('takes --all for the help only: elsewhere it is an unknown flag', async () => {
  const { errorOutput, status } = await runToEnd(['claim', 'feeds', '--owner', 'a', '--all']);
  expect(status).toBe(2);
  expect(errorOutput).toContain("unknown option '--all'");
});

async function help(...argv: string[]): Promise<string> {
  const { output, status } = await runToEnd(argv, { extraCommands });
  expect(status).toBe(0);
  return output;
}

/** The variables of the settings that a help shows; `--no-…` is no setting of its own. */
function toSettings(text: string): string[] {
  const [, section = ''] = text.split('Settings:');
  const names = section.replace(/\s+/g, ' ').matchAll(/\((BUS_[A-Z_]+), default/g);
  return [...names].map(([, name]) => name as string);
}
