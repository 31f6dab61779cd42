import type { Clock } from './clock.ts';
import { openSqliteStore } from './sqlite/open.ts';
import type { Store } from './store.ts';

export type StoreOptions = Readonly<{
  /** A path of a file. */
  location: string;
  writerFile: URL;
  clockFrom?: (floor: number) => Clock;
  /** Goes on after acknowledged rows were lost, with ids and fences above them. */
  acceptLoss?: boolean;
}>;

/** Opens the store that the location names. Whoever opens it closes it. */
export function openStore({ location, ...options }: StoreOptions): Promise<Store> {
  return openSqliteStore({ path: location, ...options });
}
