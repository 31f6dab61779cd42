import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** A command and everything that it started. */
export type Family = Readonly<{
  /**
   * The ids of the processes that still run, the command first. Empty before it has started. On Windows it lists
   * only the command.
   */
  list(): readonly number[];
}>;

/** A mark in the environment of a command, by which its descendants can be recognised. */
export type Mark = Readonly<{ id: string; environment: Readonly<Record<string, string>> }>;

/**
 * Creates a mark that all descendants of a command inherit. A command held inside another hold carries both marks,
 * so the outer lane is also kept until it is gone.
 */
export function createMark(environment: NodeJS.ProcessEnv): Mark {
  const id = randomBytes(8).toString('hex');
  return { id, environment: { [markVariable]: [environment[markVariable], id].filter(Boolean).join(' ') } };
}

const markVariable = 'BUS_HOLD';

/**
 * Finds the command with this id and everything it started. It may be called repeatedly.
 *
 * Following parent ids is not enough: when a shell ends, its background processes get another parent. So there are
 * three ways to recognise a descendant. It descends from the command; or it carries the mark in its environment,
 * which Linux shows for processes of the same user; or it descends from a process that was found earlier.
 */
export function createFamily(commandId: number, mark: Mark): Family {
  let known: readonly ProcessEntry[] = [];
  return { list };

  function list(): readonly number[] {
    const all = listProcesses().filter(({ id }) => id !== process.pid);
    const isKnown = (one: ProcessEntry) => known.some((before) => isSame(before, one));
    const roots = all.filter((one) => one.id === commandId || isKnown(one) || carriesMark(one.id, mark));
    known = withDescendants(roots, all).filter(({ isOver }) => !isOver);
    const ids = known.map(({ id }) => id);
    if (process.platform === 'win32') return isRunning(commandId) ? [commandId] : [];
    return ids.sort((one, other) => Number(other === commandId) - Number(one === commandId));
  }
}

/** Whether the process is still running. A zombie is not. A process of another user is. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || readStat(processId)?.isOver !== true;
}

type ProcessEntry = Readonly<{
  id: number;
  parentId: number;
  /** Distinguishes a process from a later one with the same id, where the system says when it started. */
  startedAt: string;
  /** Whether it has ended and only waits for its parent to collect it. */
  isOver: boolean;
}>;

function isSame(one: ProcessEntry, other: ProcessEntry): boolean {
  return one.id === other.id && one.startedAt === other.startedAt;
}

/** A process that has ended but was not collected may still have children. */
function withDescendants(
  roots: readonly ProcessEntry[],
  all: readonly ProcessEntry[],
): readonly ProcessEntry[] {
  const found = new Set(roots);
  let generation = roots;
  while (generation.length > 0) {
    const parents = new Set(generation.map(({ id }) => id));
    generation = all.filter((one) => parents.has(one.parentId) && !found.has(one));
    for (const one of generation) found.add(one);
  }
  return [...found];
}

function listProcesses(): readonly ProcessEntry[] {
  if (process.platform === 'win32') return [];
  if (process.platform !== 'linux') return readProcessList();
  const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return names.flatMap((name) => readStat(Number(name)) ?? []);
}

/**
 * The format is `id (name) state parent …`, and the name may contain spaces and brackets. The start time is the 22nd
 * field.
 */
function readStat(id: number): ProcessEntry | undefined {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'utf8');
    const [state, parentId, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { id, parentId: Number(parentId), startedAt: rest[17] ?? '', isOver: /^[ZX]/.test(state ?? '') };
  } catch {
    return undefined;
  }
}

function carriesMark(id: number, mark: Mark): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const entries = readFileSync(`/proc/${id}/environ`, 'utf8').split('\0');
    const marks = entries.find((entry) => entry.startsWith(`${markVariable}=`));
    return (
      marks
        ?.slice(markVariable.length + 1)
        .split(' ')
        .includes(mark.id) ?? false
    );
  } catch {
    return false;
  }
}

function readProcessList(): readonly ProcessEntry[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,lstart='], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [, id, parentId, state = '', startedAt = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (id === undefined) return [];
    return [{ id: Number(id), parentId: Number(parentId), startedAt, isOver: state.startsWith('Z') }];
  });
}
