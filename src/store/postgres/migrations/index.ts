import { initial } from './0001-initial.ts';
import { life } from './0002-life.ts';

/** In order: the version of a database is how many of them it has been through. */
export const migrations: readonly string[] = [initial, life];

/**
 * The lowest version whose buses can go on beside this one. Raise it to the number of a migration that older buses
 * cannot live with: they then refuse to start, instead of misreading what they find.
 *
 * 2: a bus that does not show until when it serves would bring leases back to life that it has told to be over.
 */
export const compatibleFrom = 2;
