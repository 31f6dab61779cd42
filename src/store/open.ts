import type { Clock } from './clock.ts';
import type { ObserveCommit } from './group-commit.ts';
import type { Notify } from './notice.ts';
import { openSqliteStore } from './sqlite/open.ts';
import type { Store } from './store.ts';
import { parseKind } from './transfer.ts';

export type StoreOptions = Readonly<{
  /** A path of a file, or `postgres://…`. */
  location: string;
  writerFile: URL;
  clockFrom?: (floor: number) => Clock;
  /** Goes on after acknowledged rows were lost, with ids and fences above them. */
  acceptLoss?: boolean;
  observe?: ObserveCommit | undefined;
  /** Told what whoever keeps the bus running should know. */
  notify?: Notify | undefined;
}>;

/** Opens the store that the location names. Whoever opens it closes it. */
export async function openStore({ location, ...options }: StoreOptions): Promise<Store> {
  if (parseKind(location) === 'sqlite') return openSqliteStore({ path: location, ...options });
  const { openPostgresStore } = await import('./postgres/open.ts');
  return openPostgresStore({ url: location, ...options });
}
