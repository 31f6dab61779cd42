import { readFileSync } from 'node:fs';
import { type Config, readConfig } from '../cli/config.ts';
import { toFailureText } from '../cli/gone-folder.ts';
import { readPlainFlags } from '../cli/plain-flags.ts';
import { narrowAnswers } from '../mcp/stdio/narrow.ts';
import { type OpeningAnswers, openSession } from '../mcp/stdio/opening.ts';

/**
 * Serves an MCP session over stdio that is configured by settings alone, as nearly all are. The opening calls get
 * responses that were prepared at build time, while the real server loads in the background.
 *
 * Returns the exit status, or undefined for any other kind of session, in which case nothing has been read or
 * written.
 */
export async function startQuickly(words: readonly string[]): Promise<number | undefined> {
  const config = readOrdinaryConfig(words);
  const answers = config && readAnswers(config);
  if (!config || !answers) return undefined;
  const { stdin: input, stdout: output } = process;
  const opened = await openSession({ answers, input, output, signals: process });
  if (opened === 'ended') return 0;
  try {
    const { serveMcp } = await import('./stdio.ts');
    await serveMcp(config, opened);
    return 0;
  } catch (error) {
    process.stderr.write(`${toFailureText(error)}\n`);
    return 1;
  }
}

/** Undefined when something is wrong with the settings, or when they change more than the list of tools. */
function readOrdinaryConfig(words: readonly string[]): Config | undefined {
  const flags = readPlainFlags(words);
  if (!flags) return undefined;
  try {
    const { config, warnings } = readConfig({ environment: process.env, flags, readers: ['mcp'] });
    return warnings.length > 0 || config.channelTopics ? undefined : config;
  } catch {
    return undefined;
  }
}

/** The build puts them beside the command. */
function readAnswers(config: Config): OpeningAnswers | undefined {
  try {
    const text = readFileSync(new URL('./opening.json', import.meta.url), 'utf8');
    return narrowAnswers(JSON.parse(text) as OpeningAnswers, config);
  } catch {
    return undefined;
  }
}
