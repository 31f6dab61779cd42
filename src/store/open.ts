import type { Clock } from './clock.ts';
import { openSqliteStore } from './sqlite/open.ts';
import type { Store } from './store.ts';

export type StoreOptions = Readonly<{
  /** A path of a file. */
  location: string;
  writerFile: URL;
  clockFrom?: (floor: number) => Clock;
}>;

/** Opens the store that the location names. Whoever opens it closes it. */
export function openStore({ location, writerFile, clockFrom }: StoreOptions): Promise<Store> {
  return openSqliteStore({ path: location, writerFile, ...(clockFrom && { clockFrom }) });
}
