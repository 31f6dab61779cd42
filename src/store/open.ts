import type { Clock } from './clock.ts';
import type { Observers } from './health.ts';
import { parseKind } from './open-transfer.ts';
import { openSqliteStore } from './sqlite/open.ts';
import type { Store } from './store.ts';

export type StoreOptions = Readonly<{
  /** The path of a file, or `postgres://…`. */
  location: string;
  writerFile: URL;
  clockFrom?: (floor: number, aliveUntil?: number) => Clock;
  /** Starts although acknowledged rows are missing, and continues with ids and fences above them. */
  acceptLoss?: boolean;
}> &
  Observers;

/** Opens the store that the location names. The caller must close it. */
export async function openStore({ location, ...options }: StoreOptions): Promise<Store> {
  if (parseKind(location) === 'sqlite') return openSqliteStore({ path: location, ...options });
  const { openPostgresStore } = await import('./postgres/open.ts');
  return openPostgresStore({ url: location, ...options });
}
