import type { Clock } from './clock.ts';
import { parseKind } from './open-transfer.ts';
import { openSqliteStore } from './sqlite/open.ts';
import type { Store } from './store.ts';
import type { Observers } from './watch.ts';

export type StoreOptions = Readonly<{
  /** A path of a file, or `postgres://…`. */
  location: string;
  writerFile: URL;
  clockFrom?: (floor: number, aliveUntil?: number) => Clock;
  /** Goes on after acknowledged rows were lost, with ids and fences above them. */
  acceptLoss?: boolean;
}> &
  Observers;

/** Opens the store that the location names. Whoever opens it closes it. */
export async function openStore({ location, ...options }: StoreOptions): Promise<Store> {
  if (parseKind(location) === 'sqlite') return openSqliteStore({ path: location, ...options });
  const { openPostgresStore } = await import('./postgres/open.ts');
  return openPostgresStore({ url: location, ...options });
}
