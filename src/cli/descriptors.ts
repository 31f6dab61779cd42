import { fstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';

/**
 * The file descriptors above 2 that the caller opened for this process, as with `exec 9> log` or make's jobserver.
 *
 * Call it first, because this process soon opens files of its own. Even then Node.js has opened some, and the system
 * does not say who opened a descriptor. The ones of Node.js are event queues, or pipes of which this process has
 * both ends; they are never files, sockets or devices. A caller passes on one end of a pipe, or says in `MAKEFLAGS`
 * that it passes on both.
 */
export function listGivenDescriptors(environment: NodeJS.ProcessEnv): readonly number[] {
  const open = listOpenDescriptors();
  const named = readJobServers(environment);
  return open
    .filter(({ id, stats }) => id > 2 && (named.includes(id) || isGiven(stats)))
    .filter(({ id, stats }) => named.includes(id) || !stats.isFIFO() || !isOwnPipe(id, stats, open))
    .map(({ id }) => id);
}

type Descriptor = Readonly<{ id: number; stats: Stats }>;

function listOpenDescriptors(): readonly Descriptor[] {
  if (process.platform === 'win32') return [];
  try {
    const names = readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd');
    return names.map(Number).flatMap(toDescriptor);
  } catch {
    return [];
  }
}

/** The list includes the folder that was just read, which is closed by now. */
function toDescriptor(id: number): Descriptor[] {
  try {
    return [{ id, stats: fstatSync(id) }];
  } catch {
    return [];
  }
}

function isGiven(stats: Stats): boolean {
  return (
    stats.isFile() ||
    stats.isDirectory() ||
    stats.isSocket() ||
    stats.isCharacterDevice() ||
    stats.isBlockDevice() ||
    stats.isFIFO()
  );
}

/** A pipe that is also 0, 1 or 2 came from the caller, as after `3>&1`. */
function isOwnPipe(id: number, { dev, ino }: Stats, open: readonly Descriptor[]): boolean {
  const same = open.filter(({ stats }) => stats.ino === ino && stats.dev === dev);
  const others = same.filter((one) => one.id !== id);
  return others.every((one) => one.id > 2) && others.some((one) => isWriter(one.id) !== isWriter(id));
}

const writeMode = 0o1;

/**
 * If both ends gave undefined, they would look like the same end. Where the system does not say, use the ids, which
 * differ.
 */
function isWriter(id: number): boolean | number {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${id}`, 'utf8'))?.[1] ?? '';
    return (Number.parseInt(flags, 8) & writeMode) === writeMode;
  } catch {
    return id;
  }
}

/** If make called make, the last call counts, as it does for make itself. */
function readJobServers({ MAKEFLAGS = '', CARGO_MAKEFLAGS = '' }: NodeJS.ProcessEnv): readonly number[] {
  return [MAKEFLAGS, CARGO_MAKEFLAGS].flatMap((flags) => {
    const last = [...flags.matchAll(/--jobserver-(?:auth|fds)=(\d+),(\d+)/g)].at(-1);
    return last === undefined ? [] : [Number(last[1]), Number(last[2])];
  });
}
