import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Machine } from '../folders.ts';
import type { Terminal } from '../terminal.ts';
import { toVisible } from '../visible.ts';
import { type ClientName, clients, toPath } from './clients.ts';
import { addGuard, type GuardOutcome, removeGuard } from './guard-change.ts';
import { type GuardHook, guardHooks } from './guard-hooks.ts';
import { refuseOutside } from './inside.ts';
import { FileProblem } from './problem.ts';

export type GuardSetup = Readonly<{
  clientName: ClientName;
  machine: Machine;
  projectFolder: string | undefined;
  /** Settings for the guard, which it does not see in the entry of the server. */
  variables: Readonly<Record<string, string>>;
  act: 'add' | 'remove';
  terminal: Terminal;
}>;

/** Tells the client to ask the guard before each edit, or no longer. A client that has no hooks has no guard. */
export async function setUpGuard(setup: GuardSetup): Promise<void> {
  const { act, clientName, machine, projectFolder, terminal } = setup;
  const hook = guardHooks[clientName];
  if (!hook) return;
  const path = toGuardPath(hook, { machine, projectFolder });
  const target = {
    hook,
    path,
    newFileMode: projectFolder === undefined ? 0o600 : 0o644,
    command: toGuardCommand(clientName, setup.variables),
    isBackedUp: isSharedWithServer(clientName, path, setup),
  };
  const print = (line: string) => terminal.print(toVisible(line));
  try {
    if (projectFolder !== undefined) refuseOutside(path, projectFolder);
    const outcome = act === 'add' ? await addGuard(target) : await removeGuard(target);
    if (outcome === 'absent') return;
    await print(`  guard   ${outcomeTexts[outcome](path, hook)}`);
    if (outcome === 'added' && hook.next !== undefined) await print(`  next    ${hook.next}`);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new Error(
      `${path} ${error.message}. The guard was left alone; run this again with --no-guard to do without it`,
    );
  }
}

const outcomeTexts: Readonly<
  Record<Exclude<GuardOutcome, 'absent'>, (path: string, hook: GuardHook) => string>
> = {
  added: (path, { covers }) => `stops ${covers} on files that others hold, by a hook in ${path}`,
  changed: (path) => `changed its hook in ${path}`,
  kept: (path) => `its hook is in ${path} already`,
  removed: (path) => `took its hook out of ${path}`,
};

export function toGuardPath(
  hook: GuardHook,
  { machine, projectFolder }: Pick<GuardSetup, 'machine' | 'projectFolder'>,
): string {
  if (projectFolder === undefined) return hook.toUserFile(machine);
  return toPath(machine, [projectFolder, ...hook.projectFile]);
}

function isSharedWithServer(
  clientName: ClientName,
  path: string,
  { machine, projectFolder }: GuardSetup,
): boolean {
  const { projectFile = [], toUserFile } = clients[clientName];
  const serverPath =
    projectFolder === undefined ? toUserFile(machine) : toPath(machine, [projectFolder, ...projectFile]);
  return serverPath === path;
}

/** A shell of the client runs it, and so what stands in it is quoted; the values come from this very command. */
function toGuardCommand(clientName: ClientName, variables: Readonly<Record<string, string>>): string {
  const program = realpathSync(process.argv[1] ?? process.execPath);
  const script = join(dirname(program), '..', 'hooks', 'guard.mjs');
  const handedOn = [
    'BUS_MCP_AGENT_ID',
    'BUS_MCP_BASE_URL',
    'BUS_MCP_GUARD',
    'BUS_MCP_REPOSITORY',
    'BUS_STORE',
  ];
  const settings = handedOn.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return ['node', JSON.stringify(script), clientName, ...settings.map((one) => JSON.stringify(one))].join(
    ' ',
  );
}
