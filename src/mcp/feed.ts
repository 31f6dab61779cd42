import type { Bus } from '../contract/contract.ts';
import { type BusError, isRefusal } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import { type FeedEvent, followFeed } from '../feed/follow.ts';
import { pause } from '../lease/timers.ts';
import type { Log } from './call.ts';

export type NewsOptions = Readonly<{
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

/**
 * Tells what happens from now on, until the signal: every event once, also across restarts of the bus.
 *
 * Resolves once the beginning is fixed: whatever happens from then on will be told. Rejects if the bus cannot say.
 */
export async function tellNews({ bus, onEvents, log, signal }: NewsOptions): Promise<void> {
  const { _meta } = await bus.getBusStatus({}, { signal });
  const feed = followFeed({
    bus,
    since: _meta?.last_event_id ?? 0,
    limit: () => limits.pageRowsMax,
    waitSeconds,
    signal,
    onFailure(error, { since, failures }) {
      if (failures === 0) log('the change feed cannot be read now; trying again', error);
      return isRefusal(error, 'cursor_expired') ? toOldest(error, since) : since;
    },
  });
  // A bus without a change feed refuses here.
  const first = await feed.next();
  void tellAll().catch((error) => {
    if (!signal.aborted) log('the change feed is no longer followed', error);
  });

  async function tellAll(): Promise<void> {
    await tell(first.value.page.events);
    for await (const { page } of feed) await tell(page.events);
  }

  async function tell(events: readonly FeedEvent[]): Promise<void> {
    if (events.length === 0) return;
    await onEvents(events);
    await pause(restMilliseconds, signal);
  }
}

/** What was pruned meanwhile cannot be told any more; what is left of it can. */
function toOldest({ data }: BusError, since: number): number {
  return typeof data?.oldest_id === 'number' ? data.oldest_id - 1 : since;
}
