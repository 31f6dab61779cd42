import { toUnavailable } from '../group-commit.ts';
import { toStoreError } from './errors.ts';
import type { Session } from './session.ts';

/** A connection that comes back: opened when somebody needs it, and anew after it broke. */
export type Line = Readonly<{
  /** The session as it is now; rejects with `unavailable` while none can be had. */
  session: () => Promise<Session>;
  /** Leaves the session; the next one is opened anew, perhaps at another host. */
  renew: () => void;
  close: () => Promise<void>;
}>;

export function createLine(open: () => Promise<Session>): Line {
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
