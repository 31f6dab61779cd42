import { initial } from './0001-initial.ts';

/** In order: the version of a database is how many of them it has been through. */
export const migrations: readonly string[] = [initial];
