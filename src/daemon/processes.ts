import { readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * Which process this is. Its number alone does not say: the system gives it again to another process, and two
 * containers use the same ones.
 */
export type ProcessIdentity = Readonly<{
  processId: number;
  /** When it started and in which namespace, as the system writes it; absent where the system does not tell. */
  processMark?: string | undefined;
}>;

/**
 * What has become of a process. `elsewhere`: it cannot be told from here, because its number belongs to another
 * container or machine, or because nobody wrote down its mark.
 */
export type ProcessState = 'alive' | 'gone' | 'elsewhere';

/** This very process. */
export function readOwnIdentity(): ProcessIdentity {
  return readIdentity(process.pid);
}

/** The process that has this number now, seen from here. */
export function readIdentity(processId: number): ProcessIdentity {
  const start = readStart(processId);
  return { processId, processMark: start && `${readNamespace()} ${start}` };
}

/** Looks whether that very process still does something. A zombie does not. */
export function lookAtProcess({ processId, processMark }: ProcessIdentity): ProcessState {
  if (processMark === undefined) {
    if (process.platform === 'win32') return isAlive(processId) ? 'alive' : 'gone';
    return 'elsewhere';
  }
  const namespace = readNamespace();
  if (!processMark.startsWith(`${namespace} `)) return 'elsewhere';
  return processMark === `${namespace} ${readStart(processId)}` ? 'alive' : 'gone';
}

/** Whether some process with this number still does something, whosever it is. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return process.platform !== 'linux' || readStart(processId) !== undefined;
}

/** The start of this machine and the namespace in which numbers are given; only Linux has several of these. */
function readNamespace(): string {
  if (process.platform !== 'linux') return process.platform;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** When the process started, in the words of the system; nothing for one that is gone or a zombie. */
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

/** Loaded only where it is needed: the hooks of a client start often, and on Linux they need no other program. */
export function loadChildProcess(): typeof import('node:child_process') {
  return createRequire(import.meta.url)('node:child_process');
}

/** `id (name) state …`; the name may contain spaces and brackets. The 22nd field counts ticks since the machine started. */
function readStartFromFile(processId: number): string | undefined {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}
