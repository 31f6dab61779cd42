import { readFileSync } from 'node:fs';
import { type ClientSession, listShellSessions } from './session.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What is known of a process: who started it, and the environment that it was started with. */
type AncestorOf = (processId: number) => Readonly<{ parentId: number; environment: Environment }> | undefined;

/**
 * The session of the client whose shell this process runs in.
 *
 * Where one client was started from a shell of another, the variables of both are there. The inner client gave its own
 * to its shell and did not have it itself, while the outer one's it has inherited. So the variable that is missing first
 * on the way up belongs to the inner client. Where the system does not show that, nothing is guessed.
 */
export function findShellSession(
  environment: Environment,
  { parentId = process.ppid, ancestorOf = readAncestor } = {},
): ClientSession | undefined {
  let candidates = listShellSessions(environment);
  let processId = parentId;
  for (let level = 0; candidates.length > 1 && level < levelsMax; level += 1) {
    const ancestor = ancestorOf(processId);
    if (!ancestor) return undefined;
    const missing = candidates.filter(({ variable, value }) => ancestor.environment[variable] !== value);
    if (missing.length > 0) candidates = missing;
    if (missing.length > 1) return undefined;
    processId = ancestor.parentId;
  }
  const [found, ...others] = candidates;
  return found && others.length === 0 ? { client: found.client, session: found.session } : undefined;
}

const levelsMax = 32;

function readAncestor(processId: number): ReturnType<AncestorOf> {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    const parentId = Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
    const entries = readFileSync(`/proc/${processId}/environ`, 'utf8')
      .split('\u0000')
      .map((entry): [string, string] => {
        const end = entry.indexOf('=');
        return [entry.slice(0, end), entry.slice(end + 1)];
      });
    return { parentId, environment: Object.fromEntries(entries) };
  } catch {
    return undefined;
  }
}
