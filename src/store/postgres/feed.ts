import { limits } from '../../contract/limits.ts';
import type { EventRow } from '../rows.ts';
import type { EventQuery } from '../store.ts';

/** Hands the events of all processes to the listeners: in order, each once. */
export type Feed = Readonly<{
  /** What this process has just committed. */
  publish: (events: readonly EventRow[]) => void;
  /** Reads on until this event was handed out; rejects when it cannot be read now. */
  reach: (eventId: number) => Promise<void>;
  /** The last event that was handed out. */
  position: () => number;
  /** The log was found to end there, after so much of it had been handed out. */
  endsAt: (eventId: number, handedOut: number) => void;
}>;

/** The last event of a log that ends before what was handed out of it. */
export type Rewind = Readonly<{ to: number; from: number }>;

const page = { limit: 500, bytesMax: limits.pageBytesMax };

export function createFeed({
  startId,
  readEvents,
  readPruned,
  deliver,
  onRewind,
}: Readonly<{
  /** The last event before the first to hand out. */
  startId: number;
  /** Oldest first, without gaps. */
  readEvents: (query: EventQuery) => Promise<readonly EventRow[]>;
  /** No event up to this one is kept any more. */
  readPruned: () => Promise<number>;
  deliver: (events: readonly EventRow[]) => void;
  /** Events that were handed out are gone, and their ids will be given again. */
  onRewind: (rewind: Rewind) => void;
}>): Feed {
  let delivered = startId;
  let target = startId;
  let rewinds = 0;
  let reading: Promise<void> | undefined;

  function hand(events: readonly EventRow[]): void {
    const fresh = events.filter(({ id }) => id > delivered);
    if (fresh.length === 0) return;
    delivered = fresh.at(-1)?.id ?? delivered;
    deliver(fresh);
  }

  /** Ids have no gaps: what does not continue where the last one ended waits until the next read brings all. */
  function publish(events: readonly EventRow[]): void {
    target = Math.max(target, events.at(-1)?.id ?? 0);
    if ((events[0]?.id ?? 0) <= delivered + 1) hand(events);
  }

  async function reach(eventId: number): Promise<void> {
    const rewindsBefore = rewinds;
    target = Math.max(target, eventId);
    while (delivered < eventId) {
      if (rewinds > rewindsBefore) throw new Error(`event ${eventId} is gone: the log went back`);
      reading ??= readOn().finally(() => {
        reading = undefined;
      });
      await reading;
    }
  }

  async function readOn(): Promise<void> {
    while (delivered < target) {
      const events = await readEvents({ sinceId: delivered, ...page });
      if (events.length > 0) hand(events);
      else await skipPruned();
    }
  }

  /** Another process may have pruned what this one has not read yet: nobody can hand that out any more. */
  async function skipPruned(): Promise<void> {
    const pruned = await readPruned();
    if (pruned <= delivered) throw new Error(`the change feed ends at ${delivered}, not at ${target}`);
    delivered = pruned;
  }

  /** Else nobody would hear of an event before the ids have caught up with those that are gone. */
  function endsAt(eventId: number, handedOut: number): void {
    if (eventId >= handedOut) return;
    rewinds += 1;
    delivered = eventId;
    target = eventId;
    onRewind({ to: eventId, from: handedOut });
  }

  return { publish, reach, position: () => delivered, endsAt };
}
