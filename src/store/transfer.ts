import type { Counters, Hole } from './rows.ts';
import type { CopiedKind, Row } from './schema.ts';

/**
 * Reads and writes all rows of a store without going through the rules, for copies, checks and imports. A running
 * bus never uses it.
 */

/** The rows of a kind in key order, page by page. */
export type ReadPages = <Name extends CopiedKind>(kind: Name) => AsyncIterable<readonly Row<Name>[]>;

/** A snapshot of all rows, even while a bus goes on writing. */
export type RowSource = Readonly<{
  /** For messages: a path, or a URL without its password. */
  location: string;
  totals: Counters;
  holes: readonly Hole[];
  /** Whether a bus runs on the store, where the store can tell. */
  hasBus?: boolean;
  readPages: ReadPages;
  close: () => Promise<void>;
}>;

/** An empty store that is filled in one piece: completely or not at all. */
export type RowSink = Readonly<{
  location: string;
  write: <Name extends CopiedKind>(kind: Name, rows: readonly Row<Name>[]) => Promise<void>;
  /** What has been written so far. */
  readPages: ReadPages;
  /** Makes the copy permanent. Without it, closing the sink discards everything. */
  commit: (totals: Counters, holes: readonly Hole[]) => Promise<void>;
  close: () => Promise<void>;
}>;

export const pageRowsOfTransfer = 1_000;

export function toNotEmpty(location: string): Error {
  return new Error(
    `the store ${location} is not empty, and what is in it must not be mixed with other ids: name a new one`,
  );
}
