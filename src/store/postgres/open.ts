import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { createStoreHealth, type Observers } from '../health.ts';
import type { Store } from '../store.ts';
import { createGivenClock, createStoreClock } from './clock.ts';
import { type Connect, createConnect } from './connect.ts';
import { createConnection } from './connection.ts';
import { reasonOf, UnusableDatabaseError } from './errors.ts';
import { type PostgresLocation, parsePostgresUrl } from './location.ts';
import { migrate } from './migrate.ts';
import { type Counted, createRowReader } from './read.ts';
import { createPostgresStore } from './store.ts';

export type PostgresOptions = Readonly<{
  /** `postgres://user:password@host:5432/database`. The schema `bus` is created when it is missing. */
  url: string;
  /**
   * Called with the latest time in the database. Tests pass their own clock; without one, the database's clock
   * decides.
   */
  clockFrom?: (floor: number) => Clock;
}> &
  Observers;

/** Opens the shared store. Rejects with a readable sentence when the database cannot be used. */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { url, clockFrom, notify } = options;
  const location = parsePostgresUrl(url);
  const connect = await createConnect(location, notify);
  const bus = randomUUID();
  try {
    const counted = await prepareDatabase(connect, location);
    return await createPostgresStore({
      location: location.shown,
      bus,
      channel: location.channel,
      startId: counted.lastEventId,
      time: clockFrom ? createGivenClock(clockFrom(counted.clockMilliseconds)) : createStoreClock(counted),
      health: createStoreHealth(options),
      notify,
      openListening: () => connect('listener'),
      reading: createConnection(() => connect('reader')),
      writing: createConnection(() => connect('writer')),
    });
  } catch (error) {
    throw toOpenError(error, location);
  }
}

async function prepareDatabase(connect: Connect, location: PostgresLocation): Promise<Counted> {
  const session = await connect('start', { hasTimeout: false });
  try {
    await migrate(session, location);
    return await createRowReader(session.ask, '').counters();
  } finally {
    await session.end();
  }
}

export function toOpenError(error: unknown, { shown }: PostgresLocation): Error {
  if (error instanceof UnusableDatabaseError) return error;
  return new Error(
    `the database ${shown} cannot be used (${reasonOf(error)}): ` +
      'start it or fix its URL, or name another store with BUS_STORE',
  );
}
