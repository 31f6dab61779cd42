// Several bus processes in front of one database: together they must not do less than one.
import { runLoad, toRequestBytes } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { startBus } from '../servers.mjs';

export const title = 'Durable posts through two bus processes on one database, at 64 connections in all';

const connections = 64;

export async function run({ settings, progress, report }) {
  if (!settings.store)
    return settings.remark('several processes share a PostgreSQL database: --store postgres');
  const buses = [await startBus({ store: settings.store }), await startBus({ store: settings.store })];
  const [first] = buses;
  try {
    const { two, one } = await inTurn({
      rounds: settings.rounds,
      subjects: { two: buses, one: [first] },
      progress,
      measure: (asked) => loadAll(asked, settings.seconds),
    });
    report({
      name: 'post through two',
      against: 'one',
      ours: two,
      theirs: one,
      ratio: two.perSecond / one.perSecond,
      target: { atLeast: 1 },
    });
  } finally {
    await Promise.all(buses.map(({ stop }) => stop()));
  }
}

/** The same number of connections, spread over the buses. */
async function loadAll(buses, seconds) {
  const loads = buses.map(({ port }) =>
    runLoad({ port, connections: connections / buses.length, seconds, toRequest: () => post }),
  );
  const measured = await Promise.all(loads);
  const sum = (figure) => measured.reduce((total, load) => total + load[figure], 0);
  return { perSecond: sum('perSecond'), failures: sum('failures') };
}

const post = toRequestBytes('POST', '/api/bus/message', {
  topic: 'bench',
  sender: 'bench',
  body: 'hello world',
});
