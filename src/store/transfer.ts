import { isForeignUrl, isPostgresUrl, locationProblem } from '../contract/location.ts';
import type { AnswerRow, Counters, EventRow, LaneRow, MessageRow } from './rows.ts';

/**
 * All rows of a store, for whoever copies, checks or brings them: the ways around the rules. Nothing here decides
 * anything, so a bus that runs never uses it.
 */

/** An event as it is kept: it names its message, which may be gone. */
export type StoredEvent = Omit<EventRow, 'message'> & Readonly<{ messageId?: number | undefined }>;

/** What a store keeps, table by table, each in the order of its ids, names or keys. */
export type Tables = Readonly<{
  messages: MessageRow;
  events: StoredEvent;
  lanes: LaneRow;
  answers: AnswerRow;
}>;
export type TableName = keyof Tables;

export const tableNames: readonly TableName[] = ['messages', 'events', 'lanes', 'answers'];

export type ReadPages = <Name extends TableName>(table: Name) => AsyncIterable<readonly Tables[Name][]>;

/** Ids that were given once and are gone. */
export type Hole = Readonly<{ log: 'messages' | 'events'; firstId: number; lastId: number }>;

/** What a store knows beside its rows. */
export type Totals = Counters & Readonly<{ fenceFloor: number; clockMilliseconds: number }>;

/** The rows as they all were at one moment, also while a bus goes on writing. */
export type RowSource = Readonly<{
  /** For people: a path, or a URL without its password. */
  location: string;
  totals: Totals;
  holes: readonly Hole[];
  /** Whether a bus runs on it, where that can be seen in it. */
  hasBus?: boolean;
  readPages: ReadPages;
  close: () => Promise<void>;
}>;

/** An empty store that is filled in one piece: all of it, or nothing. */
export type RowSink = Readonly<{
  location: string;
  write: <Name extends TableName>(table: Name, rows: readonly Tables[Name][]) => Promise<void>;
  /** What was written so far. */
  readPages: ReadPages;
  /** Makes it last. What is not committed when the sink is closed is forgotten. */
  commit: (totals: Totals, holes: readonly Hole[]) => Promise<void>;
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
