import type { Bus, Output } from '../contract/contract.ts';
import { isOfAnotherLog } from '../contract/cursor.ts';
import { pause, systemTimers, type Timers, toBackOffMilliseconds } from '../lease/timers.ts';

export type FeedPage = Output<'readEvents'>;
export type FeedEvent = FeedPage['events'][number];

export type FollowOptions = Readonly<{
  bus: Pick<Bus, 'readEvents'>;
  /** The last event that is known already. */
  since: number;
  /** How many events the next page may hold. */
  limit: () => number;
  /** How long the bus holds a question open when there is nothing new. */
  waitSeconds: number;
  signal: AbortSignal;
  timers?: Timers;
  /** Returns the event to go on after, or throws to end the feed. Without it, every failure ends the feed. */
  onFailure?: (error: unknown, failed: Readonly<{ since: number; failures: number }>) => number;
}>;

/** A page, and the cursor that it was asked for with. */
export type FeedStep = Readonly<{ page: FeedPage; since: number; isOfAnotherLog: boolean }>;

/**
 * The change feed, page after page: every event once, in order, until the signal fires. It also yields empty pages, so
 * that the reader can say that it is still there.
 *
 * The first question does not wait, and its failure always ends the feed: a wrong address is told at once, and only a
 * bus that was there is worth waiting for. After a failure the bus is asked without waiting too, so that its return is
 * noticed at once. A bus that has never had event `since` has another log, and sends the reader to the beginning of it.
 */
export async function* followFeed(options: FollowOptions): AsyncGenerator<FeedStep, never> {
  const { bus, limit, waitSeconds, signal, timers = systemTimers, onFailure } = options;
  let { since } = options;
  let failures = 0;
  let isFirst = true;
  let wait_s = 0;
  for (;;) {
    signal.throwIfAborted();
    const askedAt = timers.now();
    try {
      const page = await bus.readEvents({ since, limit: limit(), wait_s }, { signal });
      const waitedMilliseconds = timers.now() - askedAt;
      const step = { page, since, isOfAnotherLog: isOfAnotherLog(since, page) };
      since = page.cursor ?? since;
      failures = 0;
      isFirst = false;
      yield step;
      const isSilent = !page.events?.length && !step.isOfAnotherLog;
      if (isSilent) await takeBreak(wait_s * 1000, waitedMilliseconds);
      wait_s = waitSeconds;
    } catch (error) {
      signal.throwIfAborted();
      if (isFirst || !onFailure) throw error;
      since = onFailure(error, { since, failures });
      await pause(toBackOffMilliseconds(failures), signal, timers);
      failures += 1;
      wait_s = 0;
    }
  }

  /** A bus that does not know how to wait answers at once: it must not be asked again and again. */
  async function takeBreak(waitMilliseconds: number, waitedMilliseconds: number): Promise<void> {
    if (waitedMilliseconds < Math.min(breakMilliseconds, waitMilliseconds / 2))
      await pause(Math.min(breakMilliseconds, waitMilliseconds - waitedMilliseconds), signal, timers);
  }
}

const breakMilliseconds = 1000;
