import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findClientProcess } from './client-process.ts';
import { checkProcess, type ProcessIdentity, readIdentity } from './processes.ts';

/** What an MCP server leaves for its client's hook. */
type Mark = Readonly<{
  /** The id that this server made up for its agent. */
  agentId: string;
  server: ProcessIdentity;
  client: ProcessIdentity;
}>;

type Left = Mark & Readonly<{ file: string }>;

/**
 * Records the id under which this MCP server makes claims, for the hook that its client runs at the end of the
 * session.
 *
 * The mark stays after the server ends, because clients end their servers before they run that hook. The next server
 * that leaves a mark removes those of dead servers.
 */
export function leaveSessionMark(
  given: Readonly<{ dataFolder: string; agentId: string; processId: number; parentId: number }>,
): void {
  const folder = toFolder(given.dataFolder);
  const client = readIdentity(findClientProcess(given.parentId));
  const mark: Mark = { agentId: given.agentId, server: readIdentity(given.processId), client };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const left of readMarks(folder)) {
      // The mark of a dead server may still wait for its client's hook while that client lives. If the client is our
      // own, it has already moved on: it started us.
      const isWaiting = checkProcess(left.client) === 'alive' && !isSame(left.client, client);
      if (checkProcess(left.server) === 'gone' && !isWaiting) rmSync(left.file, { force: true });
    }
    const name = given.agentId.replace(/[^\w.-]/g, '_');
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(mark)}\n`, { mode: 0o600 });
  } catch {
    // Without the mark the leases simply expire, as they do without hooks.
  }
}

/**
 * The agent ids whose session is over, for the hook of the client that started these servers. Those are the ids of
 * servers that have ended, or else the id of the only running one. If several are running, the client has several
 * sessions and nobody can tell which of them ended, so the result is empty.
 */
export function takeEndedIds({
  dataFolder,
  parentId,
}: Readonly<{ dataFolder: string; parentId: number }>): readonly string[] {
  const marks = readMarks(toFolder(dataFolder));
  if (marks.length === 0) return [];
  const client = readIdentity(findClientProcess(parentId));
  const own = marks.filter((mark) => isSame(mark.client, client));
  const ended = own.filter(({ server }) => checkProcess(server) === 'gone');
  for (const { file } of ended) rmSync(file, { force: true });
  const over = ended.length > 0 || own.length > 1 ? ended : own;
  return over.map(({ agentId }) => agentId);
}

function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.processId === other.processId && one.processMark === other.processMark;
}

function toFolder(dataFolder: string): string {
  return join(dataFolder, 'sessions');
}

function readMarks(folder: string): readonly Left[] {
  return listNames(folder).flatMap((name) => {
    const file = join(folder, name);
    const mark = readMark(file);
    return mark ? [{ ...mark, file }] : [];
  });
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** Another server may remove it at the same time. Files that are not ours are left alone. */
function readMark(file: string): Mark | undefined {
  try {
    const mark = JSON.parse(readFileSync(file, 'utf8')) as Mark;
    const isWhole = [mark.client, mark.server].every(({ processId }) => Number.isInteger(processId));
    return isWhole && typeof mark.agentId === 'string' ? mark : undefined;
  } catch {
    return undefined;
  }
}
