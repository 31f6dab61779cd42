import { type OpenedEngine, openEngine } from '../../src/app/compose.ts';
import { type Bus, type Call, operationNames } from '../../src/contract/contract.ts';
import { writerFile } from '../build.ts';
import { until } from './ask.ts';
import { createTestClock, type TestClock } from './clock.ts';
import type { Fixture } from './rule.ts';

/** An engine over a store of its own, in the time of the test. */
export type Stage = Omit<Fixture, 'bus'> & Readonly<{ close: () => Promise<void> }>;

export async function openStage(location: string): Promise<Stage> {
  const clock = createTestClock();
  const open = () => openEngine({ store: location, writerFile, clockFrom: () => clock });
  let opened: OpenedEngine = await open();
  const engine = createFront(() => opened.bus);
  return {
    engine,
    clock,
    ...createLookouts(engine, clock),
    async restart() {
      await opened.close();
      opened = await open();
    },
    shutDown: () => opened.bus.close(),
    close: () => opened.close(),
  };
}

/** A bus that stays when the engine behind it is reopened. */
function createFront(current: () => Bus): Bus {
  const entries = operationNames.map((name) => [
    name,
    (input: never, call?: Call) => current()[name](input, call),
  ]);
  return Object.fromEntries(entries) as Bus;
}

function createLookouts(engine: Bus, clock: TestClock): Pick<Stage, 'kept' | 'untilWaiting' | 'untilInLine'> {
  return {
    async kept() {
      const { ts: _ts, uptime_s: _uptime, ...counts } = (await engine.getBusStatus({}))._meta;
      return { ...counts, ...(await engine.listLanes({})) };
    },
    untilWaiting: (count) => until(`${count} callers wait`, () => clock.alarms().length === count),
    untilInLine: (lane, owners) =>
      until(`${owners.join(', ') || 'nobody'} waits for lane ${lane}`, async () => {
        const { waiting } = await engine.getLane({ lane });
        return waiting.map(({ owner }) => owner).join() === owners.join();
      }),
  };
}
