/** What to say about a failure of the system, in words for people. */
export function toFailureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The system cannot say where a process is whose current folder somebody has removed.
  const isGone = (error as NodeJS.ErrnoException).syscall === 'uv_cwd';
  return isGone ? 'the current folder is gone: go to another one with cd, and run this again' : error.message;
}
