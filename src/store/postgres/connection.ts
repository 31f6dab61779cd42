import { toUnavailable } from '../group-commit.ts';
import { toStoreError } from './errors.ts';
import type { Session } from './session.ts';

/** A connection that reopens itself: it opens on first use, and again after it breaks. */
export type Connection = Readonly<{
  /** The current session; rejects with `unavailable` while there is none. */
  session: () => Promise<Session>;
  /** Drops the current session. The next one may connect to another host. */
  renew: () => void;
  close: () => Promise<void>;
}>;

export function createConnection(open: () => Promise<Session>): Connection {
  let current: Promise<Session> | undefined;
  let isClosed = false;

  function openNew(): Promise<Session> {
    const opening = open().then(
      (session) => {
        void session.lost.then(forget);
        return session;
      },
      (error: unknown) => {
        forget();
        throw toStoreError(error);
      },
    );
    function forget(): void {
      if (current === opening) current = undefined;
    }
    return opening;
  }

  async function endSession(): Promise<void> {
    const session = await current?.catch(() => undefined);
    await session?.end();
  }

  return {
    session() {
      if (isClosed) return Promise.reject(toUnavailable('the bus is shutting down', 1));
      current ??= openNew();
      return current;
    },
    renew() {
      endSession().catch(() => {});
      current = undefined;
    },
    async close() {
      isClosed = true;
      await endSession();
    },
  };
}
