import type { BusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { EventRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { toTooMany } from './seats.ts';

export type HeldLanes = Readonly<{
  /** The refusal when no more lanes can be held; undefined while there is room. */
  refusal: () => BusError | undefined;
  /** Counts again, after a change without an event. */
  recount: () => void;
  close: () => void;
}>;

/**
 * How many lanes are held or orphaned. Counted once, and then updated from the events of all processes. Claims that
 * share a commit do not see each other in this count, so it limits the size of the registry roughly and not to the
 * last place.
 */
export function createHeldLanes(store: Store): HeldLanes {
  let count = 0;
  const close = store.subscribe((events) => {
    for (const event of events) count += changeOf(event);
  });
  recount();

  function recount(): void {
    const before = count;
    void countHeld(store).then(
      (found) => {
        count += found - before;
      },
      // A store that is unreachable cannot accept a claim either. Counting from here is better than not counting at
      // all.
      () => {},
    );
  }

  function refusal(): BusError | undefined {
    if (count < limits.lanesHeldMax) return undefined;
    return toTooMany(
      `${count} lanes held or left behind`,
      limits.lanesHeldMax,
      'release those that are done',
    );
  }

  return { refusal, recount, close };
}

async function countHeld(store: Store): Promise<number> {
  const nothing = { lists: [], lanesMax: 0, waitersMax: 0 };
  const { liveCount, orphanedCount } = await store.readOverview(nothing);
  return liveCount + orphanedCount;
}

function changeOf({ kind }: EventRow): number {
  if (kind === 'lane_claimed') return 1;
  return kind === 'lane_released' ? -1 : 0;
}
