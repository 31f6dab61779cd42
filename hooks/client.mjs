// Under which ids the MCP server of the same client claims for agents that name no owner.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { dataFolder } from './session.mjs';

/**
 * The ids whose session is over: those of servers that have ended, else that of the one that runs. Where several run,
 * the client has several sessions, and nobody can tell which one has ended: none.
 */
export function takeServerIds() {
  const marks = readMarks();
  if (marks.length === 0) return [];
  const client = findClientProcess(process.ppid);
  const own = marks.filter((mark) => mark.client === client);
  const ended = own.filter(({ server }) => !isAlive(server));
  for (const { file } of ended) rmSync(file, { force: true });
  const over = ended.length > 0 || own.length > 1 ? ended : own;
  return over.map(({ agentId }) => agentId);
}

/** Another machine may share the folder, with other processes under the same numbers. */
function readMarks() {
  const folder = join(dataFolder(), 'sessions');
  return listNames(folder).flatMap((name) => {
    const [, client, server] = /^(\d+)-(\d+)\.json$/.exec(name) ?? [];
    if (server === undefined) return [];
    const file = join(folder, name);
    const agentId = `session:${hostname().slice(0, 120) || 'localhost'}:${server}`;
    const isOurs = readFileSync(file, 'utf8').includes(JSON.stringify(agentId));
    return isOurs ? [{ file, agentId, client: Number(client), server: Number(server) }] : [];
  });
}

function listNames(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** By the same rules as the server itself: the nearest ancestor that is neither a shell nor starts packages. */
function findClientProcess(parentId) {
  let processId = parentId;
  for (let level = 0; level < 10; level += 1) {
    const found = readProcess(processId);
    if (!found || !passingNames.test(found.name)) return processId;
    processId = found.parentId;
  }
  return processId;
}

const passingNames = /^(sh|ash|bash|dash|fish|ksh|zsh|env|nohup|timeout|bun|bunx|npm|npx|pnpm|yarn)$/;

function readProcess(processId) {
  try {
    if (process.platform === 'win32') return undefined;
    return process.platform === 'linux' ? readFromFile(processId) : askProgram(processId);
  } catch {
    return undefined;
  }
}

function readFromFile(processId) {
  const [, title, parentId] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${processId}/stat`, 'utf8'));
  return { name: toName(title), parentId: Number(parentId) };
}

function askProgram(processId) {
  const text = execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(processId)], { encoding: 'utf8' });
  const [, parentId, title] = /^\s*(\d+)\s+(.*)/.exec(text);
  return { name: toName(title), parentId: Number(parentId) };
}

/** A shell for a login has a dash before its name, and npm says what it does in its own. */
function toName(title) {
  return basename(title.replace(/^-/, '').split(' ')[0]);
}
