import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { posix, win32 } from 'node:path';

/** What the defaults of the settings depend on, besides the variables. */
export type Machine = Readonly<{
  platform: NodeJS.Platform;
  hostName: string;
  /**
   * Distinguishes this process from all others. Two containers can share host name and process id, and so can a
   * copied machine.
   */
  processName: string;
  environment: NodeJS.ProcessEnv;
}>;

/** Determines where a user's files are. */
type Home = Pick<Machine, 'environment' | 'platform'>;

/** The variables that say where the data is, besides the home folder. */
export const folderVariables = ['XDG_DATA_HOME', 'LOCALAPPDATA'] as const;

/** The machine that this process runs on. */
export function toMachine(environment: NodeJS.ProcessEnv): Machine {
  processName ??= randomBytes(5).toString('hex');
  return { platform: process.platform, hostName: toHostName(), processName, environment };
}

let processName: string | undefined;

/** The default location of the store: the place each system has for its users' data. */
export function toDefaultStorePath(machine: Home): string {
  const { environment, platform } = machine;
  const home = toHomeFolder(machine);
  if (platform === 'win32') {
    const folder = environment.LOCALAPPDATA || win32.join(home, 'AppData', 'Local');
    return win32.join(folder, 'bus-mcp', 'bus.db');
  }
  if (platform === 'darwin') {
    return posix.join(home, 'Library', 'Application Support', 'bus-mcp', 'bus.db');
  }
  // By the XDG rules a relative path counts as unset.
  const given = environment.XDG_DATA_HOME;
  const folder = given?.startsWith('/') ? given : posix.join(home, '.local', 'share');
  return posix.join(folder, 'bus-mcp', 'bus.db');
}

/** The id of this process when nobody configured one. */
export function toDefaultAgentId({ hostName, processName }: Machine): string {
  return `session:${hostName}:${processName}`;
}

/** The person at the keyboard, as far as the system knows. */
export function toLoginName({ LOGNAME, USER, USERNAME }: NodeJS.ProcessEnv): string | undefined {
  const given = LOGNAME || USER || USERNAME;
  if (given) return given;
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the user database has no name either.
    return undefined;
  }
}

/**
 * The user's home folder, or `/` if there is none. An empty or relative variable is ignored: the data would end up
 * in whatever folder the client runs in.
 */
export function toHomeFolder({ environment, platform }: Home): string {
  const [given, paths] = platform === 'win32' ? [environment.USERPROFILE, win32] : [environment.HOME, posix];
  if (given && paths.isAbsolute(given)) return given;
  try {
    return userInfo().homedir || '/';
  } catch {
    // A user without an entry in the user database, as in some containers, has none.
    return '/';
  }
}

/** Host names may have up to 253 characters, agent ids up to 200. */
function toHostName(): string {
  return hostname().slice(0, 120) || 'localhost';
}
