import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * The processes that a process started, and what those started: a shell that is told to end leaves its commands
 * running, and they would go on without the lane. Empty where the system does not tell.
 */
export function listDescendants(processId: number): readonly number[] {
  const parents = process.platform === 'linux' ? readProcFolder() : readProcessList();
  const found: number[] = [];
  let generation = [processId];
  while (generation.length > 0) {
    const previous = new Set(generation);
    generation = parents.filter(({ parentId }) => previous.has(parentId)).map(({ id }) => id);
    found.push(...generation);
  }
  return found;
}

/** Whether the process still does something. One that nobody has collected yet does not. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || readStat(processId)?.state !== 'Z';
}

type ProcessEntry = Readonly<{ id: number; parentId: number }>;

function readProcFolder(): readonly ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
}

/** `id (name) state parent …`; the name may contain spaces and brackets. */
function readStat(id: number): (ProcessEntry & { state: string | undefined }) | undefined {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'utf8');
    const [state, parentId] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { id, parentId: Number(parentId), state };
  } catch {
    return undefined;
  }
}

function readProcessList(): readonly ProcessEntry[] {
  if (process.platform === 'win32') return [];
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [id, parentId] = line.trim().split(/\s+/).map(Number);
    return id && parentId ? [{ id, parentId }] : [];
  });
}
