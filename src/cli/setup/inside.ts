import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { FileProblem } from './problem.ts';

/**
 * Refuses a file that only seems to be inside the project. In somebody else's repository a folder may be a link, and
 * `--project` would then change one of the user's own files.
 */
export function refuseOutside(path: string, projectFolder: string): void {
  const real = toRealPath(path);
  const way = relative(realpathSync(projectFolder), real);
  if (way !== '..' && !way.startsWith(`..${sep}`) && way !== real) return;
  throw new FileProblem(
    `is reached by a link that leads out of the project, to ${real}: replace the link, or leave --project out`,
  );
}

/** Where the file is or would be created, after following every link. */
function toRealPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    return join(toRealPath(dirname(path)), basename(path));
  }
}
