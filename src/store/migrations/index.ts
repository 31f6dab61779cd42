import { initial } from './0001-initial.ts';
import { life } from './0002-life.ts';
import { eventsOfThen } from './0003-events-of-then.ts';
import { senders } from './0004-senders.ts';
import { agents } from './0005-agents.ts';
import { scopes } from './0006-scopes.ts';
import type { Migration } from './migration.ts';

/** In order: the version of a database is how many of them it has been through. */
export const migrations: readonly Migration[] = [initial, life, eventsOfThen, senders, agents, scopes];

/** The lowest version whose buses can go on beside one that ran these migrations. */
export function compatibleFromOf(steps: readonly Migration[]): number {
  return steps.findLastIndex(({ endsOlder = false }) => endsOlder) + 1 || 1;
}
