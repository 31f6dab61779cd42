import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ObserveCommit } from '../group-commit.ts';
import type { Notify } from '../notice.ts';
import type { Store } from '../store.ts';
import { createDatabaseClock } from './clock.ts';
import { type Connect, createConnect } from './connect.ts';
import { reasonOf, UnusableDatabaseError } from './errors.ts';
import { createLine } from './line.ts';
import { type PostgresLocation, parsePostgresUrl } from './location.ts';
import { migrate } from './migrate.ts';
import { type Counted, createRowReader } from './read.ts';
import { createPostgresStore, type StoreClock } from './store.ts';

export type PostgresOptions = Readonly<{
  /** `postgres://user:password@host:5432/database`; the schema `bus` in it is made when it is missing. */
  url: string;
  /** Given the latest time in the database. Tests give their own; without, the clock of the database judges. */
  clockFrom?: (floor: number) => Clock;
  observe?: ObserveCommit | undefined;
  notify?: Notify | undefined;
}>;

/** Opens the shared store. Rejects with a sentence for people when the database cannot be used. */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { url, clockFrom, observe, notify } = options;
  const location = parsePostgresUrl(url);
  const connect = await createConnect(location, notify);
  const bus = randomUUID();
  try {
    const counted = await prepareDatabase(connect, location);
    return await createPostgresStore({
      location: location.shown,
      bus,
      channel: `bus_${location.schema}`,
      startId: counted.lastEventId,
      clock: createStoreClock(counted, clockFrom),
      observe,
      openListening: () => connect('listener'),
      reading: createLine(() => connect('reader')),
      writing: createLine(() => connect('writer')),
    });
  } catch (error) {
    throw toOpenError(error, location);
  }
}

async function prepareDatabase(connect: Connect, location: PostgresLocation): Promise<Counted> {
  const session = await connect('start', { isPatient: true });
  try {
    await migrate(session, location);
    return await createRowReader(session.ask, '').counters();
  } finally {
    await session.end();
  }
}

function createStoreClock(counted: Counted, clockFrom: PostgresOptions['clockFrom']): StoreClock {
  const given = clockFrom?.(counted.clockMilliseconds);
  // The latest time of all processes is in the database: time does not run backwards, whoever asks.
  if (given) {
    const judge = ({ clockMilliseconds }: Counted) => Math.max(clockMilliseconds, given.now());
    return { clock: given, judge, given: () => given.now() };
  }
  const clock = createDatabaseClock(Math.max(counted.databaseNow, counted.clockMilliseconds));
  function judge({ clockMilliseconds, databaseNow }: Counted): number {
    const now = Math.max(clockMilliseconds, databaseNow);
    clock.sample(now);
    return now;
  }
  return { clock, judge, given: () => null };
}

export function toOpenError(error: unknown, { shown }: PostgresLocation): Error {
  if (error instanceof UnusableDatabaseError) return error;
  return new Error(
    `the database ${shown} cannot be used (${reasonOf(error)}): ` +
      'start it or mend its URL, or name another store with BUS_STORE',
  );
}
