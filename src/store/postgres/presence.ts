import type { Session } from './session.ts';

/**
 * Whether buses run on a schema. Each bus shares an advisory lock for as long as its listening connection lives. The
 * server drops that lock with the connection, so it never outlives a bus.
 */

/** Shows that a bus runs, until the session ends. */
export async function showPresence(session: Session, channel: string): Promise<void> {
  await session.ask('SELECT pg_advisory_lock_shared(hashtextextended($1, 0))', toName(channel));
}

/**
 * Takes a lock that shows that this process lives, so that others notice at once when it is killed. After a
 * reconnect the server may not have noticed yet that the old connection broke, and that connection still has the
 * lock: try again later.
 */
export async function showBus(session: Session, bus: string): Promise<boolean> {
  const [row] = await session.ask<{ is_shown: boolean }>(
    `SELECT pg_try_advisory_lock(${toBusLock('$1')}) AS is_shown`,
    bus,
  );
  return row?.is_shown === true;
}

/** The number of the advisory lock that stands for a process. */
export function toBusLock(bus: string): string {
  return `hashtextextended('bus-mcp process ' || ${bus}, 0)`;
}

export async function hasBus(session: Session, channel: string): Promise<boolean> {
  // The lock is held only during this statement, so a bus that starts now does not wait.
  const [row] = await session.ask<{ is_free: boolean }>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_free',
    toName(channel),
  );
  return row?.is_free === false;
}

function toName(channel: string): string {
  return `bus-mcp listens on ${channel}`;
}
