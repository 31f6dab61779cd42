import type { Counters, Hole } from './rows.ts';
import type { CopiedKind, Row } from './schema.ts';

/**
 * All rows of a store, for whoever copies, checks or brings them: the ways around the rules. Nothing here decides
 * anything, so a bus that runs never uses it.
 */

/** The rows of a kind, page by page, in the order of their keys. */
export type ReadPages = <Name extends CopiedKind>(kind: Name) => AsyncIterable<readonly Row<Name>[]>;

/** The rows as they all were at one moment, also while a bus goes on writing. */
export type RowSource = Readonly<{
  /** For people: a path, or a URL without its password. */
  location: string;
  totals: Counters;
  holes: readonly Hole[];
  /** Whether a bus runs on it, where that can be seen in it. */
  hasBus?: boolean;
  readPages: ReadPages;
  close: () => Promise<void>;
}>;

/** An empty store that is filled in one piece: all of it, or nothing. */
export type RowSink = Readonly<{
  location: string;
  write: <Name extends CopiedKind>(kind: Name, rows: readonly Row<Name>[]) => Promise<void>;
  /** What was written so far. */
  readPages: ReadPages;
  /** Makes it last. What is not committed when the sink is closed is forgotten. */
  commit: (totals: Counters, holes: readonly Hole[]) => Promise<void>;
  close: () => Promise<void>;
}>;

export const pageRowsOfTransfer = 1_000;

export function toNotEmpty(location: string): Error {
  return new Error(
    `the store ${location} is not empty, and what is in it must not be mixed with other ids: name a new one`,
  );
}
