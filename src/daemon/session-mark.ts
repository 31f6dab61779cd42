import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findClientProcess } from './client-process.ts';
import { isAlive } from './processes.ts';

export type SessionMark = Readonly<{
  /** The data folder, which the hooks of the client know too. */
  dataFolder: string;
  /** The id that this server made up for its agent. */
  agentId: string;
  processId: number;
  parentId: number;
}>;

/**
 * Writes down under which id this MCP server claims, for the hook that its client runs at the end of the session.
 *
 * The mark stays when the server ends: clients end their servers before they run that hook. Whoever leaves the next
 * one takes those of dead servers away.
 */
export function leaveSessionMark({ dataFolder, agentId, processId, parentId }: SessionMark): void {
  const folder = join(dataFolder, 'sessions');
  const client = findClientProcess(parentId);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) removeIfLeft({ folder, name, client, agentId });
    writeFileSync(join(folder, `${client}-${processId}.json`), `${JSON.stringify({ agentId })}\n`, {
      mode: 0o600,
    });
  } catch {
    // Without it the leases run out, as they do without hooks.
  }
}

/** Those of a client that lives may be waiting for its hook, unless it is our own, which has started us instead. */
function removeIfLeft(
  asked: Readonly<{ folder: string; name: string; client: number; agentId: string }>,
): void {
  const { folder, name, client, agentId } = asked;
  const [, theirClient, server] = /^(\d+)-(\d+)\.json$/.exec(name) ?? [];
  if (server === undefined || isAlive(Number(server))) return;
  if (Number(theirClient) !== client && isAlive(Number(theirClient))) return;
  // Another machine may share the folder, and its processes are not to be seen from here.
  const machine = agentId.slice(0, agentId.lastIndexOf(':'));
  const file = join(folder, name);
  if (readText(file).includes(JSON.stringify(`${machine}:${server}`))) rmSync(file, { force: true });
}

/** Another server may be at it too. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
