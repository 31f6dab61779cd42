/**
 * Whether an answer sends the reader back: its cursor lies below the one that was asked for, which this bus has never
 * given. The reader comes from another log, and has read nothing of this one.
 */
export function isOfAnotherLog(asked: number, { cursor }: Readonly<{ cursor?: unknown }>): boolean {
  return typeof cursor === 'number' && cursor < asked;
}
