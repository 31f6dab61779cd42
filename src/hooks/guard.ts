// Before an edit: stops it when another session holds the file. Says nothing when the edit may pass, and whatever goes
// wrong, it passes. Called with the name of the client, and with settings as NAME=value where the client was set up with
// some: guard.mjs codex BUS_MCP_GUARD=warn
import { writeSync } from 'node:fs';
import type { HeldPath } from '../client-side/denial.ts';
import { isUnder, lookAtCall, toReason } from '../client-side/guard.ts';
import { type GuardMode, guardModes } from '../client-side/guard-modes.ts';
import { findHost, type HookAnswer, parseHookCall } from '../client-side/hosts.ts';
import { findSurroundings } from '../client-side/project.ts';
import { toHookSession } from '../client-side/session.ts';
import { noteGuardRun } from '../daemon/guard-note.ts';
import { join } from './agent.ts';
import { endWithin, findBus } from './bus.ts';
import { readInput } from './input.ts';
import { dataFolder } from './session.ts';

endWithin(780);
const [client = '', ...settings] = process.argv.slice(2);
readSettings();
setTimeout(() => {
  noteGuardRun({ dataFolder: dataFolder(), client, problem: 'the bus did not answer in time' });
  process.exit(0);
}, 700);
const answer = await decide();
if (answer?.stdout !== undefined) writeSync(1, `${answer.stdout}\n`);
if (answer?.stderr !== undefined) writeSync(2, `${answer.stderr}\n`);
process.exit(answer?.exitCode ?? 0);

/** Undefined lets the edit pass. */
async function decide(): Promise<HookAnswer | undefined> {
  const mode = readMode();
  if (mode === 'off') return undefined;
  const call = parseHookCall(await readInput(600));
  const host = findHost(client === 'vscode' && call?.isOfCopilotCli ? 'copilot-cli' : client);
  if (!call || !host) return undefined;
  const { CLAUDE_PROJECT_DIR, BUS_MCP_REPOSITORY: repository } = process.env;
  const surroundings = findSurroundings({ said: CLAUDE_PROJECT_DIR || call.folder, repository });
  try {
    const looked = await lookAtCall(call, { surroundings, checkPaths });
    const held = await withoutOwn(looked.held, { session: call.session, project: surroundings.project });
    noteGuardRun({ dataFolder: dataFolder(), client });
    const reason = toReason(held, surroundings);
    if (reason === '') return undefined;
    return mode === 'warn' ? host.toWarning?.(reason) : host.toDenial(reason);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    noteGuardRun({ dataFolder: dataFolder(), client, problem });
    return undefined;
  }
}

async function checkPaths(paths: readonly string[]): Promise<readonly HeldPath[]> {
  const { held } = await findBus().ask('/paths/check', { paths });
  return held as readonly HeldPath[];
}

/**
 * What others hold. Where nobody can know who the session is, nothing is refused: a session that is kept from its own
 * files looks for a way around.
 */
async function withoutOwn(
  held: readonly HeldPath[],
  { session, project }: Readonly<{ session: string | undefined; project: string }>,
): Promise<readonly HeldPath[]> {
  if (held.length === 0) return [];
  const named = process.env.BUS_MCP_AGENT_ID || undefined;
  const key = session === undefined ? undefined : toHookSession(client, session);
  const agent = await join(findBus(), { client, project, key, named });
  const ids = [agent, named].filter((id) => id !== undefined);
  return ids.length === 0 ? [] : held.filter(({ owner }) => !isUnder(ids, owner));
}

function readMode(): GuardMode {
  const mode = process.env.BUS_MCP_GUARD ?? '';
  return guardModes.find((one) => one === mode) ?? 'deny';
}

/** What stands in the client's configuration wins over what the shell has. */
function readSettings(): void {
  for (const setting of settings) {
    const [, name, value = ''] = /^(BUS_[A-Z_]+)=(.*)$/s.exec(setting) ?? [];
    if (name !== undefined) process.env[name] = value;
  }
}
