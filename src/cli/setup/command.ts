import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { Argument, type Command, Option } from 'commander';
import { isPublished } from '../../contract/publication.ts';
import type { CommandDeclaration, Invocation } from '../command.ts';
import { UsageError } from '../config.ts';
import { exitStatus } from '../failure.ts';
import { toMachine } from '../folders.ts';
import { type SettingName, settingEntries } from '../settings.ts';
import { type Client, type ClientName, clientNames, clients, findClient } from './clients.ts';
import { toEntry } from './entry.ts';
import { toLaunch } from './launch.ts';

/** Adds the MCP server to a client's configuration, so that nobody has to paste anything. */
export const setupCommand: CommandDeclaration = {
  name: 'setup',
  alsoTried: ['install', 'init', 'configure', 'connect'],
  group: 'This machine',
  summary: "Write the MCP server 'bus' into the configuration of a client",
  guidance: [
    'Keeps everything else in that file, with copies beside it: .bus-mcp.bak is what was there before the first change, .bus-mcp.last.bak before the last. Running it again changes nothing; --remove takes the entry out again. A file that is broken or read-only is left untouched. No bus is needed.',
    `The entry starts this program by its path; when it came through npx, it is npx -y bus-mcp.${isPublished ? ' With --project too, because others share that file.' : ''} Settings given as flags, like --base-url, become variables of the entry; those of this shell stay there, and what the client will not see of them is named. The write secret never does: files like these get copied and committed.`,
  ].join('\n\n'),
  // A bus that the client starts uses the entry's settings too.
  readers: ['mcp', 'bus'],
  mainSettings: ['baseUrl', 'agentId', 'store', 'port', 'readOnly'],
  declare,
  run,
};

function declare(command: Command): void {
  command
    .addArgument(new Argument('<client>', 'Which client').choices(clientNames).argParser(String))
    .option('--project', 'Write the file of the project in this folder, not the one of the user')
    .option('--print', 'Print the block only, and write nothing')
    .option('--no-guard', 'Leave out the hook that stops edits of files that others hold')
    .option('--remove', 'Take the entry out again, and the hook')
    .addOption(
      new Option(
        '--command <line>',
        'Start the server with this command instead; quotes keep words together',
      ),
    );
}

async function run({ environment, flags, operands, terminal }: Invocation): Promise<number> {
  const clientName = toClientName(operands[0] ?? '');
  const client = clients[clientName];
  const isProject = flags.project === true;
  if (isProject && client.projectFile === undefined) {
    throw new UsageError(
      `${client.title} has no configuration of its own for a project: leave out --project`,
    );
  }
  const machine = toMachine(environment);
  const launch = toLaunch({
    typed: typeof flags.command === 'string' ? flags.command : undefined,
    isShared: isProject,
    machine,
    nodeFile: process.execPath,
    programFile: realpathSync(process.argv[1] ?? process.execPath),
  });
  const { setUp } = await import('./setup.ts');
  const { setUpGuard } = await import('./guard-setup.ts');
  const variables = toVariables(flags, client);
  const act = flags.print === true ? 'print' : flags.remove === true ? 'remove' : 'add';
  const projectFolder = isProject ? process.cwd() : undefined;
  const entry = toEntry({ client, launch, variables, environment });
  const guard = { clientName, machine, projectFolder, variables, terminal };
  // The hook may stand in the same file, and went in last.
  if (act === 'remove') await setUpGuard({ ...guard, act });
  await setUp({ client, machine, projectFolder, entry, act, terminal });
  if (act === 'add' && flags.guard !== false) await setUpGuard({ ...guard, act });
  return exitStatus.done;
}

function toClientName(typed: string): ClientName {
  const name = findClient(typed);
  if (name !== undefined) return name;
  throw new UsageError(
    `there is no setup for a client '${typed}': use one of ${clientNames.join(', ')}, or --print one of them and paste the block`,
  );
}

/** Only the settings that were typed; those from the environment stay there. */
function toVariables(flags: Invocation['flags'], client: Client): Record<string, string> {
  const entries = settingEntries.flatMap(([name, { environment, flag }]): [string, string][] => {
    const typed = flag === undefined ? undefined : flags[new Option(flag).attributeName()];
    // --no-guard is about the hook: without it nobody asks the server.
    if (name === 'guard' && typeof typed === 'boolean') return [];
    if (typeof typed === 'boolean') return [[environment, typed ? '1' : '0']];
    if (typeof typed !== 'string') return [];
    return [[environment, toSettingText(name, typed, client)]];
  });
  return Object.fromEntries(entries);
}

/** Clients start the server in a folder of their choice, so paths become absolute. */
function toSettingText(name: SettingName, typed: string, client: Client): string {
  if (name === 'writeSecretFile') return resolve(typed);
  return name === 'store' ? toStoreText(typed, client) : typed;
}

function toStoreText(typed: string, { whyUnseen }: Client): string {
  // It is absolute or begins with ~/, which means the same in every folder: other paths are refused before.
  if (!typed.includes('://')) return typed;
  const advice =
    whyUnseen === undefined
      ? 'set BUS_STORE where the client is started'
      : "add BUS_STORE to the entry's env by hand if you want it there";
  throw new UsageError(
    `--store with a URL is not written into a file like this, because it may carry a password: ${advice}`,
  );
}
