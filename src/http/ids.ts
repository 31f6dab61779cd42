/** Creates ids for requests that came without one: short, and different in every process. */
export function createIdMaker(): () => string {
  const prefix = Math.random().toString(36).slice(2, 8);
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}

/** The sender's own request id, if it is safe in a log and a header. */
export function readRequestId(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value) ? value : undefined;
}
