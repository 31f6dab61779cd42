import { readFileSync } from 'node:fs';
import { toMachine } from '../cli/folders.ts';
import { clientNames, clients } from '../cli/setup/clients.ts';
import { isGuardText } from '../cli/setup/guard-change.ts';
import { type GuardHook, guardHooks } from '../cli/setup/guard-hooks.ts';
import { toGuardPath } from '../cli/setup/guard-setup.ts';
import type { GuardMode } from '../client-side/guard-modes.ts';
import { type Check, ok, warn } from '../daemon/check.ts';
import { type GuardNote, readGuardNotes } from '../daemon/guard-note.ts';
import { toDataFolder } from './local.ts';

/**
 * What is known of the guard of each client: whether its hook is installed, what it covers, and when it was last heard
 * from. Whether a client runs the hook can be seen by nothing but that it was.
 */
export function examineGuards({
  environment,
  mode,
  now,
}: Readonly<{ environment: NodeJS.ProcessEnv; mode: GuardMode; now: number }>): readonly Check[] {
  const notes = new Map(readGuardNotes(toDataFolder()).map((note) => [note.client, note]));
  const checks = clientNames.flatMap((name) => {
    const hook = guardHooks[name];
    const note = notes.get(name);
    if (!hook) return [];
    const path = findInstalled(hook, environment);
    // The plugin of Claude Code brings the hook along, and its files are the client's own business.
    if (path === undefined && note === undefined) return [];
    return [toCheck(clients[name].title, hook, { path, note, now })];
  });
  if (mode === 'off' && checks.length > 0)
    return [warn('guard', 'BUS_MCP_GUARD=off is set here: edits pass', 'unset it'), ...checks];
  return checks;
}

type Seen = Readonly<{ path: string | undefined; note: GuardNote | undefined; now: number }>;

function toCheck(title: string, { covers, next }: GuardHook, { path, note, now }: Seen): Check {
  const where = path === undefined ? 'not by setup' : `in ${path}`;
  const finding = `${title}: ${covers}, installed ${where}`;
  if (note === undefined)
    return warn('guard', `${finding}, never heard from`, next ?? `restart ${title} and let it edit a file`);
  const heard = `${finding}, heard from ${toAge(now - Date.parse(note.at))} ago`;
  if (note.problem === undefined) return ok('guard', heard);
  return warn('guard', `${heard}, and the edit passed unchecked`, note.problem);
}

function findInstalled(hook: GuardHook, environment: NodeJS.ProcessEnv): string | undefined {
  const machine = toMachine(environment);
  const folders = [undefined, process.cwd()];
  const paths = folders.map((projectFolder) => toGuardPath(hook, { machine, projectFolder }));
  return paths.find((path) => isGuardText(readText(path)));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function toAge(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 2) return 'a minute';
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}
