import { readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * Identifies a process. Its number alone is not enough: the system reuses numbers, and two containers use the same
 * ones.
 */
export type ProcessIdentity = Readonly<{
  processId: number;
  /**
   * When the process started and in which namespace, as the system writes it. Absent where the system does not say.
   */
  processMark?: string | undefined;
}>;

/**
 * What happened to a process. `elsewhere`: this process cannot tell, because the number belongs to another container
 * or machine, or because its mark was not recorded.
 */
export type ProcessState = 'alive' | 'gone' | 'elsewhere';

/** The current process. */
export function readOwnIdentity(): ProcessIdentity {
  return readIdentity(process.pid);
}

/** The process that has this number now, as seen from here. */
function readIdentity(processId: number): ProcessIdentity {
  const start = readStart(processId);
  return { processId, processMark: start && `${readNamespace()} ${start}` };
}

/** Checks whether that exact process is still running. A zombie is not. */
export function checkProcess({ processId, processMark }: ProcessIdentity): ProcessState {
  if (processMark === undefined) {
    if (process.platform === 'win32') return isAlive(processId) ? 'alive' : 'gone';
    return 'elsewhere';
  }
  const namespace = readNamespace();
  if (!processMark.startsWith(`${namespace} `)) return 'elsewhere';
  return processMark === `${namespace} ${readStart(processId)}` ? 'alive' : 'gone';
}

/** Whether any process with this number is still running, whoever owns it. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return process.platform !== 'linux' || readStart(processId) !== undefined;
}

/** The boot id of this machine and the namespace of process numbers. Only Linux has more than one namespace. */
function readNamespace(): string {
  if (process.platform !== 'linux') return process.platform;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** When the process started, in the system's words; undefined when it is gone or a zombie. */
function readStart(processId: number): string | undefined {
  try {
    if (process.platform === 'linux') return readStartFromFile(processId);
    if (process.platform === 'win32') return undefined;
    const environment = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const { execFileSync } = loadChildProcess();
    const words = ['-o', 'stat=,lstart=', '-p', String(processId)];
    const text = execFileSync('ps', words, { encoding: 'utf8', env: environment, stdio: 'pipe' }).trim();
    const [, state, start] = /^(\S+)\s+(.+)$/.exec(text) ?? [];
    return state?.startsWith('Z') ? undefined : start;
  } catch {
    return undefined;
  }
}

/** Loaded only when needed: a client's hooks start often, and on Linux they need no other program. */
function loadChildProcess(): typeof import('node:child_process') {
  return createRequire(import.meta.url)('node:child_process');
}

/**
 * The format is `id (name) state …`, and the name may contain spaces and brackets. The 22nd field counts ticks since
 * boot.
 */
function readStartFromFile(processId: number): string | undefined {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}
