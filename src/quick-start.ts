import { readFileSync } from 'node:fs';
import { type Config, readConfig } from './cli/config.ts';
import { type OpeningAnswers, openSession } from './mcp/opening.ts';

/**
 * Serves the session over stdio that starts without flags and special settings, which is nearly every one: its opening
 * is answered from what the build has prepared, and the server is loaded behind that.
 *
 * Answers the exit status; undefined if this is another kind of session, and then nothing was touched.
 */
export async function startQuickly(): Promise<number | undefined> {
  const config = readOrdinaryConfig();
  const answers = config && readAnswers();
  if (!config || !answers) return undefined;
  const { stdin: input, stdout: output } = process;
  const opened = await openSession({ answers, input, output, signals: process });
  if (opened === 'ended') return 0;
  try {
    const { serveMcp } = await import('./stdio.ts');
    await serveMcp(config, opened);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

/** Undefined if something is wrong with the settings, or if they change what is offered. */
function readOrdinaryConfig(): Config | undefined {
  try {
    const { config, warnings } = readConfig({ environment: process.env, readers: ['mcp'] });
    const { readOnly, toolNames, channelTopics } = config;
    return warnings.length > 0 || readOnly || toolNames || channelTopics ? undefined : config;
  } catch {
    return undefined;
  }
}

/** The build leaves them beside the command. */
function readAnswers(): OpeningAnswers | undefined {
  try {
    return JSON.parse(readFileSync(new URL('./opening.json', import.meta.url), 'utf8')) as OpeningAnswers;
  } catch {
    return undefined;
  }
}
