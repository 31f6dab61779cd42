import { toOwnId } from '../client-side/session.ts';
import { type HookBus, StatusError } from './bus.ts';
import type { Session } from './session.ts';

/**
 * The id under which the session acts: the MCP server and the shell commands of the session join under the same key, and
 * get the same one. Nothing when the bus does not say it, as without the write secret.
 */
export async function join(bus: HookBus, { key, named, project }: Session): Promise<string | undefined> {
  if (!key) return named;
  try {
    const wished = named === undefined ? {} : { agent: named };
    const { agent } = await bus.post('/agents/join', { ...key, ...wished, ...toPlace(project) });
    return typeof agent === 'string' ? agent : undefined;
  } catch (error) {
    // Everybody in the session makes up the same id.
    return named ?? (isOfOlderBus(error) ? toOwnId(key) : undefined);
  }
}

/** The bus is too old to name agents. */
export function isOfOlderBus(error: unknown): boolean {
  return error instanceof StatusError && [404, 405].includes(error.status);
}

/** For people; the whole path would tell who they are. */
function toPlace(project: string): { place?: string } {
  const name = project.split(/[\\/]/).at(-1)?.slice(0, 200);
  return name ? { place: name } : {};
}
