import { activityMilliseconds } from './activity.ts';
import { type Api, RefusedError } from './api.ts';
import type { Model } from './model.ts';

const eventsPerPage = 250;
const eventsMax = 10_000;
const paintMilliseconds = 300;

type HistoryParts = Readonly<{ api: Api; model: Model; now: () => number; onPage: () => void }>;

/** The past of the bus for the timelines: read once, because from then on the events come by themselves. */
export function createHistory(parts: HistoryParts) {
  let isLoaded = false;
  return {
    async load(): Promise<void> {
      // Nothing is known when the page began anew at another place in the log.
      if (isLoaded && parts.model.activity.knownSince() < Number.POSITIVE_INFINITY) return;
      isLoaded = false;
      await loadLastHour(parts);
      isLoaded = true;
    },
  };
}

/**
 * Reads the change feed backwards from the cursor to the beginning of the last hour. Pages of the feed are asked for by
 * the id before them, which is known because ids have no gaps.
 */
async function loadLastHour({ api, model, now, onPage }: HistoryParts): Promise<void> {
  const last = model.cursor();
  let paintedAt = 0;
  for (let first = last; first > 0 && last - first < eventsMax; first -= eventsPerPage) {
    const since = Math.max(0, first - eventsPerPage);
    const { events, isOldest } = await readPage(api, since, first);
    // The page began anew at another place while this was on its way.
    if (model.cursor() < last) return;
    for (const event of events) model.takePast(event);
    const oldest = since === 0 ? 0 : Date.parse(events[0]?.ts ?? '');
    model.activity.know(oldest);
    if (isOldest || oldest < now() - activityMilliseconds) break;
    if (performance.now() - paintedAt < paintMilliseconds) continue;
    paintedAt = performance.now();
    onPage();
  }
  if (last === 0) model.activity.know(0);
  onPage();
}

/** The events between the two ids. When the first of them were pruned, those that are kept: cursor 0 asks for them. */
async function readPage(api: Api, since: number, first: number) {
  try {
    return { ...(await api.readEvents({ since, limit: first - since })), isOldest: false };
  } catch (error) {
    if (!(error instanceof RefusedError && error.status === 410)) throw error;
    const { events } = await api.readEvents({ since: 0, limit: first - since });
    return { events: events.filter(({ id }) => id <= first), isOldest: true };
  }
}
