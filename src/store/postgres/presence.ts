import type { Session } from './session.ts';

/**
 * Whether buses run on a schema, as the server itself knows: each shares in a lock for as long as its listening
 * connection lives, so none can be left over.
 */

/** Shows that a bus runs, until the session ends. */
export async function showPresence(session: Session, channel: string): Promise<void> {
  await session.ask('SELECT pg_advisory_lock_shared(hashtextextended($1, 0))', toName(channel));
}

/**
 * Shows that this process lives, so that the others know at once when it is killed. Where a connection of before still has
 * the lock, because the server has not noticed that it broke, there is nothing to take yet: ask again later.
 */
export async function showBus(session: Session, bus: string): Promise<boolean> {
  const [row] = await session.ask<{ is_shown: boolean }>(
    `SELECT pg_try_advisory_lock(${toBusLock('$1')}) AS is_shown`,
    bus,
  );
  return row?.is_shown === true;
}

/** The number that stands for a process among the locks. */
export function toBusLock(bus: string): string {
  return `hashtextextended('bus-mcp process ' || ${bus}, 0)`;
}

export async function hasBus(session: Session, channel: string): Promise<boolean> {
  // Only held for the moment of the statement: a bus that starts now is not kept waiting.
  const [row] = await session.ask<{ is_free: boolean }>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_free',
    toName(channel),
  );
  return row?.is_free === false;
}

function toName(channel: string): string {
  return `bus-mcp listens on ${channel}`;
}
