import type { Store } from '../store/store.ts';
import type { LeaseWatch } from './lease-watch.ts';

export type QuietChanges = Readonly<{
  /** The same watch, with every look at a lane noticed: each turn of a lane ends with one. */
  around: (leases: LeaseWatch) => LeaseWatch;
  subscribe: (listener: () => void) => () => void;
}>;

/**
 * Changes of lanes that may be no events: a renewed lease, a queue that grew or shrank. Those of this process only, and
 * what was refused is none where the store counts its changes. Without a listener nothing is looked at.
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
