import type { Store } from '../store/store.ts';
import type { LeaseWatch } from './lease-watch.ts';

export type QuietChanges = Readonly<{
  /** Wraps the lease watch so that every check of a lane is noticed: each turn on a lane ends with one. */
  around: (leases: LeaseWatch) => LeaseWatch;
  subscribe: (listener: () => void) => () => void;
}>;

/**
 * Reports changes of lanes that may have no event: a renewed lease, or a queue that grew or shrank. Only changes by
 * this process, and where the store counts its changes, refusals are left out. Without a listener it does nothing.
 */
export function createQuietChanges(store: Pick<Store, 'version'>): QuietChanges {
  const listeners = new Set<() => void>();
  let lastVersion: number | undefined;

  function notice(): void {
    if (listeners.size === 0) return;
    const version = store.version?.();
    if (version !== undefined && version === lastVersion) return;
    lastVersion = version;
    for (const listener of listeners) listener();
  }

  return {
    around: (leases) => ({
      ...leases,
      watch(lane) {
        leases.watch(lane);
        notice();
      },
      touch(lane) {
        leases.touch(lane);
        notice();
      },
    }),
    subscribe(listener) {
      listeners.add(listener);
      lastVersion = store.version?.();
      return () => listeners.delete(listener);
    },
  };
}
