import { limits } from '../contract/limits.ts';
import type { Pause } from '../store/clock.ts';
import type { Store } from '../store/store.ts';
import { withGrace } from './grace.ts';
import { decideInOrder } from './lane-turns.ts';

export type LeaseWatch = Readonly<{
  /** Somebody waits for this lane: hand it over when the lease expires, unless a turn does so earlier. */
  watch: (lane: string) => void;
  /**
   * Somebody waits for scopes that these lanes hold: serve the line when their leases run out, and when those of others
   * do that get the scopes meanwhile. Returns a function that ends it.
   */
  watchBlockers: (lanes: readonly string[]) => () => void;
  /** The holder or the end of the lease may have changed: check again, if anybody waits for the lane. */
  touch: (lane: string) => void;
  touchAll: () => void;
  close: () => void;
}>;

/** How long to wait before the next attempt when the store could not hand over the lane. */
const retryMilliseconds = 1_000;

/**
 * Makes sure that a waiter gets the lane when the lease expires.
 *
 * No timer ends a lease: expiry is a comparison that a turn makes. Without waiters that is enough, because whoever
 * wants the lane will make a call. But a waiter has already made its call and now sleeps, so somebody has to run a
 * turn for it. The timer here only causes that turn. If it fires too early, because the lease was renewed in the
 * meantime, the turn changes nothing and the timer is set again.
 */
export function createLeaseWatch(store: Store): LeaseWatch {
  const alarms = new Map<string, () => void>();
  /** Lanes that hold scopes somebody waits for. Their own queue may be empty. */
  const blockers = new Set<string>();
  let scopedWaits = 0;

  async function arm(lane: string, isServed = false): Promise<void> {
    const { row, queue } = await store.readLane(lane);
    if (!alarms.has(lane)) return;
    alarms.get(lane)?.();
    const isOver = (row?.hold?.expiresAt ?? 0) <= store.clock.now();
    if (queue.length === 0 && (isOver || !blockers.has(lane))) {
      alarms.delete(lane);
      blockers.delete(lane);
      return;
    }
    // Whoever still waits for a lane that is free waits for something else too, and is served when that is free.
    if (isServed && isOver) {
      alarms.set(lane, () => {});
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
      await arm(lane, true);
    } catch {
      if (!alarms.has(lane)) return;
      const at = store.clock.now() + retryMilliseconds;
      alarms.set(
        lane,
        store.clock.schedule(at, () => void handOver(lane)),
      );
    }
  }

  /**
   * Writes the grace of a pause into the rows, page by page, so that readers see it and it survives a restart. Turns
   * do not depend on this: each turn applies the grace to the lane it reads.
   */
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
  /** Cancels the timer before it reads the lane, because the end it was set for may be out of date. */
  function watch(lane: string): void {
    alarms.get(lane)?.();
    alarms.set(lane, () => {});
    void arm(lane).catch(() => handOver(lane));
  }

  function watchBlockers(lanes: readonly string[]): () => void {
    scopedWaits += 1;
    for (const lane of lanes) watchBlocker(lane);
    return () => {
      scopedWaits -= 1;
    };
  }

  function watchBlocker(lane: string): void {
    blockers.add(lane);
    watch(lane);
  }

  function touch(lane: string): void {
    if (alarms.has(lane)) watch(lane);
  }

  /** When several processes share the store, lanes also change in turns of the others. */
  const unsubscribe = store.subscribe((events) => {
    for (const { lane, detail } of events) {
      if (lane === undefined) continue;
      // Who was served holds scopes now that others in the line may want.
      if (detail?.paths && detail.ticket !== undefined && scopedWaits > 0) watchBlocker(lane);
      else touch(lane);
    }
  });

  return {
    watch,
    watchBlockers,
    touch,
    touchAll() {
      for (const lane of alarms.keys()) watch(lane);
    },
    close() {
      unsubscribe();
      stopListening?.();
      for (const cancel of alarms.values()) cancel();
      alarms.clear();
    },
  };
}

/**
 * Changes only what the passing of time has changed: hands over a lane whose lease has expired, and writes the grace
 * of a pause.
 */
function takeEmptyTurn(store: Store, lane: string): Promise<void> {
  return store.take({
    asks: { lanes: [lane] },
    isOwed: true,
    decide: (view) => decideInOrder<void>({ lane, decide: () => ({ answer: undefined }) }, view),
  });
}
