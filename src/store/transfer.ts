import { isForeignUrl, isPostgresUrl, locationProblem } from '../contract/location.ts';
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

/** Which kind of store the location names. Throws a sentence for people when it names none. */
export function parseKind(location: string): 'sqlite' | 'postgres' {
  if (isForeignUrl(location)) throw new Error(`the name of a store ${locationProblem}`);
  return isPostgresUrl(location) ? 'postgres' : 'sqlite';
}

/** Opens what there is for reading. Rejects with a sentence for people when it cannot be read as a store. */
export async function openSource(location: string): Promise<RowSource> {
  if (parseKind(location) === 'postgres') {
    const { openPostgresSource } = await import('./postgres/source.ts');
    return openPostgresSource(location);
  }
  const { openSqliteSource } = await import('./sqlite/source.ts');
  return openSqliteSource(location);
}

/** Opens a store for filling. Rejects with a sentence for people when anything was ever kept in it. */
export async function openSink(location: string): Promise<RowSink> {
  if (parseKind(location) === 'postgres') {
    const { openPostgresSink } = await import('./postgres/sink.ts');
    return openPostgresSink(location);
  }
  const { openSqliteSink } = await import('./sqlite/sink.ts');
  return openSqliteSink(location);
}

export function toNotEmpty(location: string): Error {
  return new Error(
    `the store ${location} is not empty, and what is in it must not be mixed with other ids: name a new one`,
  );
}
