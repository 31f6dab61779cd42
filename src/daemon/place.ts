import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { isPostgresUrl } from '../contract/location.ts';
import { toRealPath } from '../store/path.ts';

/** The files that belong to the local bus of one store. */
export type Place = Readonly<{
  folder: string;
  /** The store for display: a path, or a URL without its password. */
  store: string;
  /** Where the bus listens; this user's clients read it. */
  addressFile: string;
  /** The lock of whoever is starting a bus right now. */
  startingFile: string;
  /** The log of a bus that a client started. */
  logFile: string;
}>;

/**
 * The place of a store: beside the database file, or in the data folder when the database is on a server. Everyone
 * who names the same store finds the same place, and so the same bus.
 */
export function toPlace({ store, dataFolder }: Readonly<{ store: string; dataFolder: string }>): Place {
  const isElsewhere = isPostgresUrl(store);
  const shown = isElsewhere ? withoutPassword(store) : toRealPath(store);
  const folder = isElsewhere ? dataFolder : dirname(shown);
  const name = isElsewhere ? `elsewhere-${digest(shown)}` : basename(shown);
  return {
    folder,
    store: shown,
    addressFile: join(folder, `${name}.address`),
    startingFile: join(folder, `${name}.starting`),
    logFile: join(folder, `${name}.log`),
  };
}

function withoutPassword(text: string): string {
  // With several hosts, or with a password that is not escaped, the text does not parse as a URL.
  if (!URL.canParse(text)) return text.replace(/\/\/.*@/, '//');
  const url = new URL(text);
  url.password = '';
  url.searchParams.delete('password');
  return url.href;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
