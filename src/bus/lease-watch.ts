import type { Store } from '../store/store.ts';
import { decideInOrder } from './lane-turns.ts';

export type LeaseWatch = Readonly<{
  /** Somebody waits for this lane: hand it over when the lease runs out, should nobody ask before. */
  watch: (lane: string) => void;
  /** The lane may have changed hands or its lease its end: look again if anybody waits for it. */
  touch: (lane: string) => void;
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
      await store.take({ lane, decide: (view) => decideInOrder(lane, view, () => ({ answer: undefined })) });
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

  const look = (lane: string) => void arm(lane).catch(() => handOver(lane));

  return {
    watch(lane) {
      if (!alarms.has(lane)) alarms.set(lane, () => {});
      look(lane);
    },
    touch(lane) {
      if (alarms.has(lane)) look(lane);
    },
    close() {
      for (const callOff of alarms.values()) callOff();
      alarms.clear();
    },
  };
}
