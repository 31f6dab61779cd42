import { tmpdir } from 'node:os';
import type { Surroundings } from './qualify.ts';

/** The project that paths are relative to: the one that a client says, else the folder that this process runs in. */
export function findSurroundings({
  said,
  repository,
}: Readonly<{ said?: string | undefined; repository?: string | undefined }>): Surroundings {
  return { project: said || toCurrentFolder(), repository: repository || undefined };
}

/** The folder may be gone, and then no path can be relative to it. */
function toCurrentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return tmpdir();
  }
}
