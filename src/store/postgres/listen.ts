import { showPresence } from './presence.ts';
import type { Session } from './session.ts';

/** The one connection on which the database reports what other processes committed. */
export type Listener = Readonly<{ close: () => Promise<void> }>;

const backOffMilliseconds = { first: 100, max: 2_000 };

/**
 * Listens as long as the bus lives. A broken connection is reopened, with growing delays. `onPulse` runs after each
 * connect and then regularly: it catches up with missed events, and notices a connection that died silently.
 * Resolves once the first connection listens.
 */
export async function startListener({
  open,
  channel,
  pulseMilliseconds,
  onPayload,
  onPulse,
}: Readonly<{
  open: () => Promise<Session>;
  channel: string;
  pulseMilliseconds: number;
  onPayload: (payload: string) => void;
  onPulse: (session: Session) => Promise<void>;
}>): Promise<Listener> {
  let isClosed = false;
  let wake = () => {};

  /** Returns early when the listener closes. */
  function rest(milliseconds: number, orUntil?: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      if (isClosed) return resolve();
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      void orUntil?.then(wake);
    });
  }

  async function openListening(): Promise<Session> {
    const session = await open();
    session.onNotification(onPayload);
    await session.run(`LISTEN "${channel}"`);
    await showPresence(session, channel);
    return session;
  }

  async function attend(session: Session): Promise<void> {
    let isLost = false;
    void session.lost.then(() => {
      isLost = true;
    });
    try {
      while (!isClosed && !isLost) {
        await onPulse(session);
        await rest(pulseMilliseconds, session.lost);
      }
    } finally {
      await session.end().catch(() => {});
    }
  }

  async function keepListening(first: Session): Promise<void> {
    let session: Session | undefined = first;
    let backOff: number = backOffMilliseconds.first;
    while (!isClosed) {
      try {
        session ??= await openListening();
        backOff = backOffMilliseconds.first;
        await attend(session);
      } catch {
        // The next connection catches up.
      }
      session = undefined;
      if (isClosed) return;
      await rest(backOff);
      backOff = Math.min(backOff * 2, backOffMilliseconds.max);
    }
  }

  const listening = keepListening(await openListening());

  async function close(): Promise<void> {
    isClosed = true;
    wake();
    await listening;
  }

  return { close };
}
