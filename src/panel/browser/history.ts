import { activityMilliseconds } from './activity.ts';
import { type Api, RefusedError } from './api.ts';
import type { Model } from './model.ts';
import type { BusEvent } from './rows.ts';

const eventsPerPage = 250;
const eventsMax = 10_000;
const paintMilliseconds = 300;

type HistoryParts = Readonly<{ api: Api; model: Model; now: () => number; onPage: () => void }>;

/** The past of the bus for the timelines: read once, because from then on the events come by themselves. */
export function createHistory(parts: HistoryParts) {
  let isLoaded = false;
  return {
    async load(): Promise<void> {
      // Nothing is known when the page started over at another place in the log.
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
    // The page started over at another place while this was on its way.
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
    return { events: await readBetween(api, since, first), isOldest: false };
  } catch (error) {
    if (!(error instanceof RefusedError && error.status === 410)) throw error;
    return { events: await readBetween(api, 0, first), isOldest: true };
  }
}

/** The bus ends a page early where messages are long. */
async function readBetween(api: Api, since: number, first: number): Promise<readonly BusEvent[]> {
  const events: BusEvent[] = [];
  for (let cursor = since; ; ) {
    const page = await api.readEvents({ since: cursor, limit: eventsPerPage });
    events.push(...page.events);
    cursor = page.cursor;
    if (!page.has_more || page.events.length === 0 || cursor >= first)
      return events.filter(({ id }) => id <= first);
  }
}
