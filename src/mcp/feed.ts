import { setTimeout as pause } from 'node:timers/promises';
import type { Bus, Output } from '../contract/contract.ts';
import { isOfAnotherLog } from '../contract/cursor.ts';
import { type BusError, isRefusal } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from './call.ts';

export type FeedEvent = Output<'readEvents'>['events'][number];

export type FeedOptions = Readonly<{
  bus: Bus;
  /** The events of one look at the feed, oldest first; never none. */
  onEvents: (events: readonly FeedEvent[]) => Promise<void> | void;
  log: Log;
  signal: AbortSignal;
}>;

/** Proxies cut off what is silent for a minute. */
const waitSeconds = 50;
/** What happens in quick succession is told together. */
const restMilliseconds = 100;
const retryMillisecondsMax = 30_000;

/**
 * Follows the change feed from its end, until the signal: every event once, also across restarts of the bus.
 *
 * Resolves once the beginning is fixed: whatever happens from then on will be told. Rejects if the bus cannot say.
 */
export async function followFeed(options: FeedOptions): Promise<void> {
  const { bus, log, signal } = options;
  const since = await readEnd(bus, signal);
  void follow(options, since).catch((error) => {
    if (!signal.aborted) log('the change feed is no longer followed', error);
  });
}

/** The last event there is. A bus without a change feed refuses here. */
async function readEnd(bus: Bus, signal: AbortSignal): Promise<number> {
  const { _meta } = await bus.getBusStatus({}, { signal });
  const since = _meta?.last_event_id ?? 0;
  await bus.readEvents({ since, limit: 1 }, { signal });
  return since;
}

async function follow({ bus, onEvents, log, signal }: FeedOptions, start: number): Promise<never> {
  let since = start;
  for (let failures = 0; ; ) {
    try {
      const page = await readNext(bus, since, signal);
      failures = 0;
      since = page.cursor;
      if (page.events.length === 0) continue;
      await onEvents(page.events);
      await pause(restMilliseconds, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (failures === 0) log('the change feed cannot be read now; trying again', error);
      await pause(Math.min(retryMillisecondsMax, 1000 * 2 ** failures), undefined, { signal });
      failures += 1;
      since = isRefusal(error, 'cursor_expired') ? toOldest(error, since) : await restart(bus, since, signal);
    }
  }
}

/** A bus that cannot wait answers at once that there is nothing; then the waiting is done here. */
async function readNext(bus: Bus, since: number, signal: AbortSignal): Promise<Output<'readEvents'>> {
  const askedAt = performance.now();
  const page = await bus.readEvents({ since, limit: limits.pageRowsMax, wait_s: waitSeconds }, { signal });
  const waitedMilliseconds = performance.now() - askedAt;
  // With a cursor of another log it sends back to the beginning of its own.
  const isSentBack = isOfAnotherLog(since, page);
  if (page.events.length === 0 && !isSentBack && waitedMilliseconds < waitSeconds * 500)
    await pause(waitSeconds * 1000 - waitedMilliseconds, undefined, { signal });
  return page;
}

/** What was pruned meanwhile cannot be told any more; what is left of it can. */
function toOldest({ data }: BusError, since: number): number {
  return typeof data?.oldest_id === 'number' ? data.oldest_id - 1 : since;
}

/** A bus that came back with another database begins to count anew, and nothing of it was told yet. */
async function restart(bus: Bus, since: number, signal: AbortSignal): Promise<number> {
  try {
    const { _meta } = await bus.getBusStatus({}, { signal });
    return (_meta?.last_event_id ?? since) < since ? 0 : since;
  } catch {
    return since;
  }
}
