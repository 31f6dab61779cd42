/** Turns a system error into words for people. */
export function toFailureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // When somebody deleted a process's current folder, the system cannot say where it is.
  const isGone = (error as NodeJS.ErrnoException).syscall === 'uv_cwd';
  return isGone ? 'the current folder is gone: go to another one with cd, and run this again' : error.message;
}
