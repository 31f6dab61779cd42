import { BusError } from '../contract/errors.ts';
import { createOutage, type Notify } from './notice.ts';

/** One commit that was tried: how many turns shared it, how long it took, and why the store did not keep it. */
export type CommitMeasurement = Readonly<{ turns: number; seconds: number; failure?: unknown }>;
export type ObserveCommit = (measurement: CommitMeasurement) => void;

/** Who wants to know how a store fares. */
export type Observers = Readonly<{
  observe?: ObserveCommit | undefined;
  /** Called for each commit and each read that failed. */
  observeFailure?: (() => void) | undefined;
  notify?: Notify | undefined;
}>;

/** Hears of every commit and every read, and passes on what is worth telling. */
export type StoreWatch = Readonly<{
  commit: ObserveCommit;
  readWorked: () => void;
  readFailed: (failure: unknown) => void;
}>;

/** Where some pages are damaged and others are not, reads fail and work in turn. */
const readsWorkAfterMilliseconds = 10_000;

export function createStoreWatch({ observe, observeFailure, notify }: Observers): StoreWatch {
  const writing = createOutage({
    notify,
    failing: 'the store cannot keep what is written: writes are refused',
    working: 'the store keeps what is written again',
  });
  const reading = createOutage({
    notify,
    failing: 'the store cannot read what it keeps: reads that need it are refused',
    working: 'the store reads what it keeps again',
  });
  let readFailedAtMs: number | undefined;

  function commit(measurement: CommitMeasurement): void {
    observe?.(measurement);
    if ('failure' in measurement) {
      observeFailure?.();
      writing.fails('commit', reasonOf(measurement.failure));
    } else {
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

/** Without what it tells the caller to do. */
function reasonOf(failure: unknown): string {
  if (failure instanceof BusError) return failure.detail.split(';')[0] ?? '';
  return failure instanceof Error ? failure.message : String(failure);
}
