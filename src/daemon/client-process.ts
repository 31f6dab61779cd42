import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadChildProcess } from './processes.ts';

/**
 * Finds the client process that started this one: the nearest ancestor that is more than a wrapper, such as a shell
 * or npx.
 *
 * The client's hooks find the same process, and with it the data that belongs to it. Windows gives no quick way to
 * read the parents of other processes, so there it is simply the parent.
 */
export function findClientProcess(parentId: number): number {
  let processId = parentId;
  for (let level = 0; level < levelsMax; level += 1) {
    const found = readProcess(processId);
    if (!found || !passingNames.test(found.name)) return processId;
    processId = found.parentId;
  }
  return processId;
}

const levelsMax = 10;

/** Shells, and programs that download and start packages. */
const passingNames = /^(sh|ash|bash|dash|fish|ksh|zsh|env|nohup|timeout|bun|bunx|npm|npx|pnpm|yarn)$/;

type Found = Readonly<{ name: string; parentId: number }>;

function readProcess(processId: number): Found | undefined {
  try {
    if (process.platform === 'win32') return undefined;
    return process.platform === 'linux' ? readFromFile(processId) : askProgram(processId);
  } catch {
    return undefined;
  }
}

function readFromFile(processId: number): Found {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  const [, title = '', parentId] = /^\d+ \((.*)\) \S (\d+)/s.exec(text) ?? [];
  return { name: toName(title), parentId: Number(parentId) };
}

function askProgram(processId: number): Found {
  const { execFileSync } = loadChildProcess();
  const text = execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(processId)], { encoding: 'utf8' });
  const [, parentId, title = ''] = /^\s*(\d+)\s+(.*)/.exec(text) ?? [];
  return { name: toName(title), parentId: Number(parentId) };
}

/** A login shell has a dash before its name, and npm puts its task into its process title. */
function toName(title: string): string {
  const [program = ''] = title.replace(/^-/, '').split(' ');
  return basename(program);
}
