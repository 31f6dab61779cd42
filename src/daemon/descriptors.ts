import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** Set in the environment of a bus that a client starts: the client's file descriptors that the bus has to close. */
export const inheritedVariable = 'BUS_MCP_INHERITED';

/**
 * Lists the file descriptors of this process that a child process would inherit, besides standard input and output.
 *
 * Why it matters: a script opens descriptor 200 for a lock and calls a client, and the client starts a bus that runs
 * for half an hour. If the bus inherits the descriptor, the lock stays held all that time. Node does not pass on
 * descriptors below 16 or the ones it opened itself, but it does pass on higher ones that it inherited. macOS passes
 * on none of them, and Windows has none.
 */
export function listInheritable(): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && !isClosedOnStart(descriptor));
}

/** Closes the descriptors that the client listed. Runs first, before the bus holds on to a lock of its caller. */
export function closeInherited(environment: NodeJS.ProcessEnv): void {
  const numbers = (environment[inheritedVariable] ?? '').split(',').filter(Boolean).map(Number);
  delete environment[inheritedVariable];
  for (const descriptor of numbers) {
    try {
      closeSync(descriptor);
    } catch {
      // The client closed it between listing it and starting the bus.
    }
  }
}

/** `flags` is octal; the close-on-exec bit is the same on every processor. */
function isClosedOnStart(descriptor: number): boolean {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(text)?.[1] ?? '', 8);
    return (flags & 0o2000000) !== 0;
  } catch {
    return true;
  }
}
