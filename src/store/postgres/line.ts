import { toUnavailable } from '../group-commit.ts';
import { toStoreError } from './errors.ts';
import type { Session } from './session.ts';

/** A connection that comes back: opened when somebody needs it, and anew after it broke. */
export type Line = Readonly<{
  /** The session as it is now; rejects with `unavailable` while none can be had. */
  session: () => Promise<Session>;
  close: () => Promise<void>;
}>;

export function createLine(open: () => Promise<Session>): Line {
  let current: Promise<Session> | undefined;
  let isClosed = false;

  async function openOnce(): Promise<Session> {
    try {
      const session = await open();
      void session.lost.then(drop);
      return session;
    } catch (error) {
      drop();
      throw toStoreError(error);
    }
  }

  function drop(): void {
    current = undefined;
  }

  return {
    session() {
      if (isClosed) return Promise.reject(toUnavailable('the bus is shutting down', 1));
      current ??= openOnce();
      return current;
    },
    async close() {
      isClosed = true;
      const closing = current;
      const session = await closing?.catch(() => undefined);
      await session?.end();
    },
  };
}
