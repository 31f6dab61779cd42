import { isForeignUrl, isPostgresUrl, locationProblem } from '../contract/location.ts';
import type { RowSink, RowSource } from './transfer.ts';

/** The kind of store that a location names. Throws a readable sentence when it names none. */
export function parseKind(location: string): 'sqlite' | 'postgres' {
  if (isForeignUrl(location)) throw new Error(`the name of a store ${locationProblem}`);
  return isPostgresUrl(location) ? 'postgres' : 'sqlite';
}

/** Opens a store for reading. Rejects with a readable sentence when that is not possible. */
export async function openSource(location: string): Promise<RowSource> {
  if (parseKind(location) === 'postgres') {
    const { openPostgresSource } = await import('./postgres/source.ts');
    return openPostgresSource(location);
  }
  const { openSqliteSource } = await import('./sqlite/source.ts');
  return openSqliteSource(location);
}

/** Opens an empty store to fill it. Rejects with a readable sentence when it is not empty. */
export async function openSink(location: string): Promise<RowSink> {
  if (parseKind(location) === 'postgres') {
    const { openPostgresSink } = await import('./postgres/sink.ts');
    return openPostgresSink(location);
  }
  const { openSqliteSink } = await import('./sqlite/sink.ts');
  return openSqliteSink(location);
}
