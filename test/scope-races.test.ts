import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../src/app/compose.ts';
import { overlaps } from '../src/bus/scopes.ts';
import type { Bus, Output } from '../src/contract/contract.ts';
import { BusError } from '../src/contract/errors.ts';
import { writerFile } from './build.ts';
import { createRandom, type Random } from './histories/schedule.ts';
import { httpDoor } from './suite/doors/http.ts';
import { type StoreSource, stores } from './suite/stores.ts';

type BusEvent = Output<'readEvents'>['events'][number];

const clients = 16;
const claimsEach = 50;
const scopes = [
  '**',
  'src/**',
  'src/a',
  'src/a/x.ts',
  'src/b',
  'src/*.ts',
  'docs',
  'docs/b*',
  'test/**/a.ts',
  'SRC/B',
];

describe.each(stores)('claims with overlapping paths over $name', (store) => {
  let source: StoreSource;
  let location: string;
  beforeAll(async () => {
    source = await store.start();
    location = await source.freshLocation();
  });
  afterAll(() => source.stop());

  // SQLite has one bus for a database; on PostgreSQL half of the clients go through another one.
  const buses = store.name === 'PostgreSQL' ? 2 : 1;

  test('are never held by two at any moment, and each that is refused was blocked by somebody', async () => {
    const engines = await Promise.all(
      Array.from({ length: buses }, () => openEngine({ store: location, writerFile })),
    );
    const doors = await Promise.all(engines.map(({ bus }) => httpDoor.open(bus)));
    const seed = Date.now() % 1_000_000;
    const work = Array.from({ length: clients }, (_, client) =>
      claimAndRelease(doors[client % buses]?.bus as Bus, `client ${client}`, createRandom(seed + client)),
    );
    const counts = await Promise.all(work);
    const events = await readAll(engines[0]?.bus as Bus);
    expect({ seed, found: findOverlaps(events) }).toEqual({ seed, found: [] });
    const granted = counts.reduce((sum, one) => sum + one.granted, 0);
    const refused = counts.reduce((sum, one) => sum + one.refused, 0);
    expect(events.filter(({ kind }) => kind === 'lane_claimed')).toHaveLength(granted);
    // A race in which nobody lost would prove nothing.
    expect(Math.min(granted, refused)).toBeGreaterThan(clients);
    for (const door of doors) await door.close();
    for (const engine of engines) await engine.close();
  }, 120_000);
});

async function claimAndRelease(bus: Bus, owner: string, random: Random) {
  const counts = { granted: 0, refused: 0 };
  for (let turn = 0; turn < claimsEach; turn += 1) {
    // Lanes are shared too, so that lane and paths are contested together.
    const lane = `lane-${random.below(24)}`;
    const paths = [scopes[random.below(scopes.length)] ?? '**', scopes[random.below(scopes.length)] ?? '**'];
    try {
      const { lane: held, decision } = await bus.claimLane({
        lane,
        owner,
        paths,
        wait_s: random.isLucky(0.3) ? 1 : 0,
      });
      if (decision === 'claim') counts.granted += 1;
      await bus.releaseLane({ lane, owner, fence: held.fence });
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      expect(['lane_held', 'paths_held']).toContain(error.code);
      expect(blockersOf(error)).not.toContain(owner);
      counts.refused += 1;
    }
  }
  return counts;
}

function blockersOf({ data }: BusError): readonly string[] {
  const { owner, conflicts } = data as { owner?: string; conflicts?: readonly { owner: string }[] };
  return conflicts ? conflicts.map((one) => one.owner) : [owner ?? ''];
}

async function readAll(bus: Bus): Promise<readonly BusEvent[]> {
  const all: BusEvent[] = [];
  for (let since = 0; ; ) {
    const { events, cursor, has_more } = await bus.readEvents({ since, limit: 500 });
    all.push(...events);
    since = cursor;
    if (!has_more) return all;
  }
}

/** Goes through the feed as it happened: no grant may overlap what another owner holds at that moment. */
function findOverlaps(events: readonly BusEvent[]): string[] {
  const held = new Map<string, BusEvent>();
  return events.flatMap((event) => {
    const { kind, lane = '', owner, paths = [] } = event;
    if (kind === 'lane_released') held.delete(lane);
    if (!['lane_claimed', 'lane_stolen', 'lane_changed'].includes(kind)) return [];
    const others = [...held.values()].filter((other) => other.owner !== owner && other.lane !== lane);
    const before = held.get(lane);
    held.set(lane, event);
    const wrong = others.filter((other) =>
      paths.some((path) => other.paths?.some((scope) => overlaps(path, scope))),
    );
    const twice =
      kind === 'lane_claimed' && before ? [`event ${event.id}: ${lane} is held by ${before.owner}`] : [];
    return [...twice, ...wrong.map((other) => `event ${event.id} overlaps event ${other.id}`)];
  });
}
