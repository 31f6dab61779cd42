import type { EventRow } from '../rows.ts';

/** Hands the events of all processes to the listeners: in order, each once. */
export type Feed = Readonly<{
  /** What this process has just committed. */
  publish: (events: readonly EventRow[]) => void;
  /** Reads on until this event was handed out; rejects when it cannot be read now. */
  reach: (eventId: number) => Promise<void>;
}>;

const pageRows = 500;

export function createFeed({
  startId,
  readEvents,
  readPruned,
  deliver,
}: Readonly<{
  /** The last event before the first to hand out. */
  startId: number;
  /** Ids after the first argument, oldest first, without gaps. */
  readEvents: (sinceId: number, limit: number) => Promise<readonly EventRow[]>;
  /** No event up to this one is kept any more. */
  readPruned: () => Promise<number>;
  deliver: (events: readonly EventRow[]) => void;
}>): Feed {
  let delivered = startId;
  let target = startId;
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
    target = Math.max(target, eventId);
    while (delivered < eventId) {
      reading ??= readOn().finally(() => {
        reading = undefined;
      });
      await reading;
    }
  }

  async function readOn(): Promise<void> {
    while (delivered < target) {
      const events = await readEvents(delivered, pageRows);
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

  return { publish, reach };
}
