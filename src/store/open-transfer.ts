import { isForeignUrl, isPostgresUrl, locationProblem } from '../contract/location.ts';
import type { RowSink, RowSource } from './transfer.ts';

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
