// The crash soak: load, SIGKILL at a random moment, start again, check everything.
import { setTimeout as pause } from 'node:timers/promises';
import { askOnce, createAgent } from './ask.mjs';
import { createBusProcess } from './bus.mjs';
import { checkRepeat } from './checks.mjs';
import { startClients } from './clients.mjs';
import { createInspection } from './inspection.mjs';
import { createRandom } from './random.mjs';
import { createRecord } from './record.mjs';

const clientCount = 12;
const lanesPerEpoch = 4;
const repeatsPerKill = 40;

export async function run(settings) {
  const { folder, store, database, commandFile, buses: busCount, kills, minutes, seed, progress } = settings;
  const random = createRandom(seed);
  const record = createRecord();
  const runName = `run${seed}-${Date.now().toString(36)}`;
  const startedAt = performance.now();
  const buses = Array.from({ length: busCount }, () =>
    createBusProcess({ store, home: folder, commandFile }),
  );
  let epoch = 0;
  let killed = 0;
  const isOver = () => killed >= kills || performance.now() - startedAt > minutes * 60_000;
  await Promise.all(buses.map((bus) => bus.launch()));
  const agent = createAgent();
  const inspection = await createInspection({
    store,
    record,
    portOf: () => buses[0].port,
    agent,
    commandFile,
  });
  const clients = startClients({
    count: clientCount,
    random,
    record,
    runName,
    portOf: (client) => buses[client % busCount].port,
    lanes: () => toLanes(runName, epoch),
  });

  /** Also while it is still starting, and sometimes twice in a row. */
  async function killOne() {
    const bus = random.pick(buses);
    await pause(random.between(20, 500));
    // Every run of a few kills has one of the database.
    if (database && epoch % 5 === 4) return killDatabase();
    await bus.kill();
    killed += 1;
    while (random.isLucky(0.2) && !isOver()) {
      const starting = bus.launch().catch(() => {});
      await pause(random.between(0, 400));
      await bus.kill();
      await starting;
      killed += 1;
    }
    await bus.launch();
  }

  async function killDatabase() {
    const from = Date.now();
    await database.stop('immediate');
    killed += 1;
    await database.start();
    record.pauses.push({ from, to: Date.now() });
  }

  function tell() {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const goal = Number.isFinite(kills) ? ` of ${kills}` : '';
    const written = record.writes.toLocaleString('en');
    progress(
      `${killed}${goal} kills, ${written} acknowledged writes, ${inspection.lost()} lost, ${seconds} s`,
    );
  }

  try {
    while (!isOver() && record.faults.length === 0) {
      await Promise.race([killOne(), clients.lives]);
      await clients.pause();
      await inspection.inspect();
      await repeatSome({ random, record, agent, portOf: () => random.pick(buses).port });
      tell();
      epoch += 1;
      clients.resume();
    }
    await clients.pause();
    if (record.faults.length === 0) await inspection.inspectAtEnd();
  } catch (error) {
    record.fault(error.message);
  } finally {
    await clients.end();
    agent.destroy();
    await Promise.all(buses.map((bus) => bus.kill()));
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const summary = [
    `kills                ${killed}`,
    `acknowledged writes  ${record.writes.toLocaleString('en')}`,
    `lost                 ${inspection.lost()}`,
    `lanes                ${record.actions.size} with ${inspection.grants().toLocaleString('en')} grants, no fence twice, no two holders`,
    `repeated requests    ${(killed * repeatsPerKill).toLocaleString('en')} at most, answers unchanged`,
    `integrity            ${inspection.integrity()}`,
    `seed ${seed}, ${seconds} s`,
  ].join('\n');
  return { summary: record.faults.length === 0 ? summary : '', faults: record.faults };
}

/** Some lanes live through the whole run; those of an epoch are used until the next one is over. */
function toLanes(runName, epoch) {
  const ofEpoch = (number) =>
    Array.from({ length: lanesPerEpoch }, (_, index) => `${runName}-epoch-${number}-${index}`);
  return [
    `${runName}-always-0`,
    `${runName}-always-1`,
    ...ofEpoch(epoch),
    ...(epoch > 0 ? ofEpoch(epoch - 1) : []),
  ];
}

/** The requests of just now, and some of long ago. */
async function repeatSome({ random, record, agent, portOf }) {
  const { keyed } = record;
  const recent = keyed.slice(-repeatsPerKill / 2);
  const old = keyed.length === 0 ? [] : Array.from({ length: repeatsPerKill / 2 }, () => random.pick(keyed));
  await Promise.all(
    [...recent, ...old].map(async (request) => {
      const reply = await askOnce({ ...request, port: portOf(), agent });
      if (!reply) record.fault(`a repeated ${request.path} got no answer`);
      else for (const fault of checkRepeat(request, reply)) record.fault(fault);
    }),
  );
}
