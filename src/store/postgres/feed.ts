import { limits } from '../../contract/limits.ts';
import type { EventRow } from '../rows.ts';
import type { EventQuery } from '../store.ts';

/** Hands the events of all processes to the listeners, in order and each once. */
export type Feed = Readonly<{
  /** Hands out the events that this process has just committed. */
  publish: (events: readonly EventRow[]) => void;
  /** Reads until this event has been handed out; rejects when that is not possible now. */
  reach: (eventId: number) => Promise<void>;
  /** The last event that was handed out. */
  position: () => number;
  /** Reports where the log ends, together with the position that was read before asking. */
  endsAt: (eventId: number, handedOut: number) => void;
}>;

/** The log now ends at `to`, although events up to `from` were handed out. */
export type Rewind = Readonly<{ to: number; from: number }>;

const page = { limit: 500, bytesMax: limits.pageBytesMax };

export function createFeed({
  startId,
  readEvents,
  readPruned,
  deliver,
  onRewind,
}: Readonly<{
  /** The event before the first one to hand out. */
  startId: number;
  /** Oldest first, without gaps. */
  readEvents: (query: EventQuery) => Promise<readonly EventRow[]>;
  /** Events up to this one have been pruned. */
  readPruned: () => Promise<number>;
  deliver: (events: readonly EventRow[]) => void;
  /** Called when events that were handed out no longer exist. Their ids will be used again. */
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

  /**
   * Ids have no gaps. If these events do not continue where the last ones ended, drop them: the next read brings all
   * of them.
   */
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

  /** Another process may have pruned events that this one has not read. They cannot be handed out any more. */
  async function skipPruned(): Promise<void> {
    const pruned = await readPruned();
    if (pruned <= delivered) throw new Error(`the change feed ends at ${delivered}, not at ${target}`);
    delivered = pruned;
  }

  /** Without this, nobody would hear of an event until the ids had caught up with the events that are gone. */
  function endsAt(eventId: number, handedOut: number): void {
    if (eventId >= handedOut) return;
    rewinds += 1;
    delivered = eventId;
    target = eventId;
    onRewind({ to: eventId, from: handedOut });
  }

  return { publish, reach, position: () => delivered, endsAt };
}
