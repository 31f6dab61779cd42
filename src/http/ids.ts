/** Makes names for requests that came without one: short, and different in every process. */
export function createIdMaker(): () => string {
  const prefix = Math.random().toString(36).slice(2, 8);
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}

/** The name the sender gave the request, if it is one that may stand in a log and a header. */
export function readRequestId(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value) ? value : undefined;
}

/**
 * Makes idempotency keys. They begin with the time, so that a store that keeps them sorted appends instead of
 * inserting, and end with what tells this process from all others.
 */
export function createKeyMaker(): () => string {
  let count = 0;
  let process: string | undefined;
  return () => {
    process ??= crypto.randomUUID().replaceAll('-', '').slice(0, 16);
    count += 1;
    return `${Date.now().toString(36)}-${count.toString(36).padStart(6, '0')}-${process}`;
  };
}
