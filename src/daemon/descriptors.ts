import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** Set in the environment of a bus that a client starts: the descriptors of the client that it has to close. */
export const inheritedVariable = 'BUS_MCP_INHERITED';

/**
 * The descriptors of this process that a process started from here gets too, beside standard input and output.
 *
 * A script opens 200 for a lock, calls a client, and the client starts a bus that stays for half an hour: with the
 * descriptor, the lock would stay as well. Node keeps back those below 16 and those that it opens itself, but not what it
 * found open above that. On macOS the system keeps back all of them, and on Windows there are none.
 */
export function listInheritable(): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && !isClosedOnStart(descriptor));
}

/** Closes what the client said that it had open. Done first, before a lock of its caller is held for long. */
export function closeInherited(environment: NodeJS.ProcessEnv): void {
  const numbers = (environment[inheritedVariable] ?? '').split(',').filter(Boolean).map(Number);
  delete environment[inheritedVariable];
  for (const descriptor of numbers) {
    try {
      closeSync(descriptor);
    } catch {
      // The client has closed it between looking and starting.
    }
  }
}

/** `flags` are octal; the bit of close-on-exec is the same on every kind of processor. */
function isClosedOnStart(descriptor: number): boolean {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(text)?.[1] ?? '', 8);
    return (flags & 0o2000000) !== 0;
  } catch {
    return true;
  }
}
