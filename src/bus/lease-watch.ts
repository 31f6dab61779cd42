import { limits } from '../contract/limits.ts';
import type { Pause } from '../store/clock.ts';
import type { Store } from '../store/store.ts';
import { withGrace } from './grace.ts';
import { decideInOrder } from './lane-turns.ts';

export type LeaseWatch = Readonly<{
  /** Somebody waits for this lane: hand it over when the lease runs out, should nobody ask before. */
  watch: (lane: string) => void;
  /** The lane may have changed hands or its lease its end: look again if anybody waits for it. */
  touch: (lane: string) => void;
  touchAll: () => void;
  close: () => void;
}>;

/** After a store that cannot take the hand-over, the next attempt. */
const retryMilliseconds = 1_000;

/**
 * Expiry is a comparison made when somebody asks; for a lane that others wait for, this is who asks, at the very
 * millisecond that the lease runs out.
 */
export function createLeaseWatch(store: Store): LeaseWatch {
  const alarms = new Map<string, () => void>();

  async function arm(lane: string): Promise<void> {
    const { row, queue } = await store.readLane(lane);
    if (!alarms.has(lane)) return;
    alarms.get(lane)?.();
    if (queue.length === 0) {
      alarms.delete(lane);
      return;
    }
    const at = row?.hold?.expiresAt ?? store.clock.now();
    alarms.set(
      lane,
      store.clock.schedule(at, () => void handOver(lane)),
    );
  }

  async function handOver(lane: string): Promise<void> {
    try {
      await takeEmptyTurn(store, lane);
      await arm(lane);
    } catch {
      if (!alarms.has(lane)) return;
      const at = store.clock.now() + retryMilliseconds;
      alarms.set(
        lane,
        store.clock.schedule(at, () => void handOver(lane)),
      );
    }
  }

  /** Makes the grace of every holder concerned visible to readers; a turn applies it in any case. */
  async function grantGrace(pause: Pause): Promise<void> {
    for (let after: string | undefined; ; ) {
      const rows = await store.readLanes({ after, limit: limits.pageRowsMax });
      const concerned = rows.filter((row) => withGrace(row, pause) !== row);
      await Promise.all(concerned.map(({ lane }) => takeEmptyTurn(store, lane)));
      after = rows.at(-1)?.lane;
      if (rows.length < limits.pageRowsMax) return;
    }
  }

  const stopListening = store.clock.onPause?.((pause) => void grantGrace(pause).catch(() => {}));
  /** The alarm is called off before the lane is read: what it was set by may no longer be true. */
  function watch(lane: string): void {
    alarms.get(lane)?.();
    alarms.set(lane, () => {});
    void arm(lane).catch(() => handOver(lane));
  }

  function touch(lane: string): void {
    if (alarms.has(lane)) watch(lane);
  }

  /** Where several processes share the store, lanes change hands without a turn of this one. */
  const unsubscribe = store.subscribe((events) => {
    for (const { lane } of events) if (lane !== undefined) touch(lane);
  });

  return {
    watch,
    touch,
    touchAll() {
      for (const lane of alarms.keys()) watch(lane);
    },
    close() {
      unsubscribe();
      stopListening?.();
      for (const callOff of alarms.values()) callOff();
      alarms.clear();
    },
  };
}

/** What time alone changes: a lease that ran out goes to who waits for it, a pause gives its grace. */
function takeEmptyTurn(store: Store, lane: string): Promise<void> {
  return store.take({
    asks: { lanes: [lane] },
    isOwed: true,
    decide: (view) => decideInOrder<void>({ lane, decide: () => ({ answer: undefined }) }, view),
  });
}
