import { onTestFinished } from 'vitest';
import { type OpenedEngine, openEngine } from '../../src/app/compose.ts';
import type { Notice } from '../../src/store/notice.ts';
import { openStore } from '../../src/store/open.ts';
import type { EventRow } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { writerFile } from '../build.ts';
import { createTestClock, type TestClock } from '../suite/clock.ts';
import { createTestSchema, type TestSchema } from '../suite/postgres.ts';

/** Buses that share one database, as processes on several machines do, with the time of the test. */
export type Shared = Readonly<{
  place: TestSchema;
  clock: TestClock;
  one: OpenedEngine;
  other: OpenedEngine;
}>;

export async function openTwoBuses(): Promise<Shared> {
  const place = await createOwnSchema();
  const clock = createTestClock();
  const open = () => openOwnBus(place.url, clock);
  return { place, clock, one: await open(), other: await open() };
}

export async function createOwnSchema(): Promise<TestSchema> {
  const place = await createTestSchema();
  onTestFinished(place.remove);
  return place;
}

export async function openOwnBus(url: string, clock?: TestClock): Promise<OpenedEngine> {
  const opened = await openEngine({ store: url, writerFile, ...(clock && { clockFrom: () => clock }) });
  onTestFinished(opened.close);
  return opened;
}

/** A bus, and what it says to whoever keeps it running. */
export async function openToldBus(url: string): Promise<OpenedEngine & { notices: readonly Notice[] }> {
  const notices: Notice[] = [];
  const opened = await openEngine({
    store: url,
    writerFile,
    notify: (notice) => void notices.push(notice),
  });
  onTestFinished(opened.close);
  return { ...opened, notices };
}

export async function openOwnStore(url: string): Promise<Store> {
  const store = await openStore({ location: url, writerFile });
  onTestFinished(store.close);
  return store;
}

/** The ids of all events that the store hands out from now on, in the order it does. */
export function collectEventIds(store: Store): number[] {
  const ids: number[] = [];
  store.subscribe((events: readonly EventRow[]) => {
    for (const { id } of events) ids.push(id);
  });
  return ids;
}

/** 1, 2, 3 … */
export function idsUpTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
