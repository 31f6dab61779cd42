import { type BatchChanges, type BatchRows, findIn } from './batch.ts';

/** Batches that are decided and not yet kept. */
export type UnderWay = Readonly<{
  /** The rows as they will be once everything under way is kept: what the next batch is decided on. */
  rows: () => BatchRows;
  /**
   * Follows one more batch to the disk. Resolves when it and all before it are kept. Rejects when one of them is not:
   * none that came after that one is kept either, because they were decided on rows that never were.
   */
  follow: (changes: BatchChanges, kept: Promise<void> | undefined) => Promise<void>;
}>;

/**
 * Lets batches be decided while earlier ones are being written, each on what those leave behind. `apply` makes a batch
 * part of the committed rows: in the order of the batches, and never one that was not kept.
 */
export function createUnderWay({
  committed,
  apply,
}: Readonly<{ committed: () => BatchRows; apply: (changes: BatchChanges) => void }>): UnderWay {
  let batches: Batch[] = [];

  /** The newest word on something; undefined where none of the batches says anything. */
  function newest<Row>(look: (batch: Batch) => Row | undefined): Row | undefined {
    for (let index = batches.length - 1; index >= 0; index -= 1) {
      const row = look(batches[index] as Batch);
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
      find: (kind, key) => newest(({ changes }) => findIn(changes, kind, key)) ?? base.find(kind, key),
      queue: (lane) => newest(({ changes }) => changes.queues.get(lane)) ?? base.queue(lane),
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

  /** A batch that had nothing to write is ready before those that it was decided on, and waits for them. */
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
