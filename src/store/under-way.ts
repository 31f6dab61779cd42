import { type BatchChanges, type BatchRows, findIn } from './batch.ts';
import { withChangedLanes, withChangedQueues } from './line.ts';

/** Batches that are decided but not yet on disk. */
export type UnderWay = Readonly<{
  /** The rows as they will be once all these batches are on disk. The next batch is decided on these. */
  rows: () => BatchRows;
  /**
   * Adds a batch. Resolves once it and all earlier batches are on disk. Rejects if this batch or an earlier one
   * failed: it was decided on rows that then never came to exist, so it cannot be kept either.
   */
  follow: (changes: BatchChanges, kept: Promise<void> | undefined) => Promise<void>;
}>;

/**
 * Lets the next batch be decided while earlier ones are still being written. This keeps the disk busy instead of
 * waiting for each decision.
 *
 * The price is order. A batch is decided on the rows that the unwritten batches before it will leave. So if one of
 * those fails, every batch after it must fail too. And `apply`, which merges a batch into the committed rows, must
 * run in the order of the batches, and never for one that failed.
 */
export function createUnderWay({
  committed,
  apply,
}: Readonly<{ committed: () => BatchRows; apply: (changes: BatchChanges) => void }>): UnderWay {
  let batches: Batch[] = [];

  /** The latest value that any of the batches gives; undefined when none of them says anything. */
  function newest<Row>(find: (batch: Batch) => Row | undefined): Row | undefined {
    for (let index = batches.length - 1; index >= 0; index -= 1) {
      const row = find(batches[index] as Batch);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  function rows(): BatchRows {
    const base = committed();
    if (batches.length === 0) return base;
    return {
      ...base,
      counters: (batches.at(-1) as Batch).changes.counters,
      find(kind, key) {
        const found = newest(({ changes }) => findIn(changes, kind, key));
        return found === undefined ? base.find(kind, key) : (found ?? undefined);
      },
      queue: (lane) => newest(({ changes }) => changes.queues.get(lane)) ?? base.queue(lane),
      line: () => batches.reduce((line, { changes }) => withChangedQueues(line, changes.queues), base.line()),
      scopedLanes: () =>
        batches.reduce(
          (lanes, { changes }) => withChangedLanes(lanes, changes.changed.lanes),
          base.scopedLanes(),
        ),
    };
  }

  function follow(changes: BatchChanges, kept: Promise<void> | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const batch: Batch = { changes, isKept: kept === undefined, resolve, reject };
      batches.push(batch);
      if (kept === undefined) settle();
      else
        kept.then(
          () => keep(batch),
          (reason) => fail(batch, reason),
        );
    });
  }

  function keep(batch: Batch): void {
    batch.isKept = true;
    settle();
  }

  /** A batch with nothing to write is ready before the batches it was decided on, so it waits for them. */
  function settle(): void {
    for (let first = batches[0]; first?.isKept; first = batches[0]) {
      batches.shift();
      apply(first.changes);
      first.resolve();
    }
  }

  function fail(batch: Batch, reason: unknown): void {
    if (!batches.includes(batch)) return;
    const failed = batches;
    batches = [];
    for (const { reject } of failed) reject(reason);
  }

  return { rows, follow };
}

type Batch = Readonly<{
  changes: BatchChanges;
  resolve: () => void;
  reject: (reason: unknown) => void;
}> & { isKept: boolean };
