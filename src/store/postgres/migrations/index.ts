import { initial } from './0001-initial.ts';

/** In order: the version of a database is how many of them it has been through. */
export const migrations: readonly string[] = [initial];

/**
 * The lowest version whose buses can go on beside this one. Raise it to the number of a migration that older buses
 * cannot live with: they then refuse to start, instead of misreading what they find.
 */
export const compatibleFrom = 1;
