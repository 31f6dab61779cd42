import { BusError } from '../contract/errors.ts';
import { createOutage, type Notify } from './notice.ts';

/** One attempt to commit: how many turns shared it, how long it took, and why it failed, if it did. */
export type CommitMeasurement = Readonly<{
  turns: number;
  seconds: number;
  failure?: unknown;
  /** It was kept, but it is smaller than what was refused before it: larger ones may still be refused. */
  isSmall?: boolean;
}>;
export type ObserveCommit = (measurement: CommitMeasurement) => void;

/** Callbacks about the health of a store. */
export type Observers = Readonly<{
  observe?: ObserveCommit | undefined;
  /** Called for each failed commit and each failed read. */
  observeFailure?: (() => void) | undefined;
  notify?: Notify | undefined;
}>;

/** Is told of every commit and every read, and reports when a store starts or stops failing. */
export type StoreHealth = Readonly<{
  commit: ObserveCommit;
  readWorked: () => void;
  readFailed: (failure: unknown) => void;
}>;

/**
 * If only some pages are damaged, reads fail and succeed in turn. So wait this long before reporting that reads work
 * again.
 */
const readsWorkAfterMilliseconds = 10_000;

export function createStoreHealth({ observe, observeFailure, notify }: Observers): StoreHealth {
  const writing = createOutage({
    notify,
    failing: 'the store cannot write: it refuses writes',
    working: 'the store can write again',
  });
  const reading = createOutage({
    notify,
    failing: 'the store cannot read some of its data: it refuses reads that need it',
    working: 'the store can read its data again',
  });
  let readFailedAtMs: number | undefined;

  function commit(measurement: CommitMeasurement): void {
    observe?.(measurement);
    if ('failure' in measurement) {
      observeFailure?.();
      writing.fails('commit', reasonOf(measurement.failure));
    } else if (!measurement.isSmall) {
      writing.works('commit');
    }
  }

  function readWorked(): void {
    if (readFailedAtMs === undefined || performance.now() - readFailedAtMs < readsWorkAfterMilliseconds)
      return;
    readFailedAtMs = undefined;
    reading.works('read');
  }

  function readFailed(failure: unknown): void {
    readFailedAtMs = performance.now();
    observeFailure?.();
    reading.fails('read', reasonOf(failure));
  }

  return { commit, readWorked, readFailed };
}

/** The reason without the advice to the caller. */
function reasonOf(failure: unknown): string {
  if (failure instanceof BusError) return failure.detail.split(';')[0] ?? '';
  return failure instanceof Error ? failure.message : String(failure);
}
