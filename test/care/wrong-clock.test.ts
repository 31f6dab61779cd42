import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEngine } from '../../src/app/compose.ts';
import { backUp } from '../../src/care/backup.ts';
import { noProgress } from '../../src/care/progress.ts';
import { restore } from '../../src/care/restore.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { createClock } from '../../src/store/clock.ts';
import type { Notice } from '../../src/store/notice.ts';
import { writerFile } from '../build.ts';
import { createFolder } from '../folder.ts';
import { fillBus, withBus } from './stage.ts';

/** A bus that ran once while the clock of its machine said 2037. */
async function createStoreAhead() {
  const folder = createFolder();
  const store = join(folder, 'bus.db');
  const wallNow = () => Date.UTC(2037, 0, 1);
  const engine = await openEngine({ store, writerFile, clockFrom: () => createClock({ wallNow }) });
  await fillBus(engine.bus);
  await engine.close();
  return { folder, store };
}

const post = { topic: 't', sender: 'ada', body: 'next' };

test('a bus says at its start that its times are ahead, and how to bring them back', async () => {
  const { store } = await createStoreAhead();
  const notices: Notice[] = [];
  const engine = await openEngine({ store, writerFile, notify: (notice) => notices.push(notice) });
  await engine.close();
  const notice = notices.find(({ message }) => message.includes('--reset-clock'));
  expect(notice).toMatchObject({ level: 'warn', data: { seconds_ahead: expect.any(Number) } });
});

test('restore brings times back that one start with a wrong clock left ahead', async () => {
  const { folder, store } = await createStoreAhead();
  await withBus(store, async (bus) => {
    expect((await bus.postMessage(post)).ts, 'time does not run backwards by itself').toMatch(/^2037/);
  });
  const file = join(folder, 'backup.db');
  await backUp({ store, file }, noProgress);
  const now = new Date();
  await restore({ store, file, now, resetsClock: true }, noProgress);
  expect((await verifyStore(store, noProgress)).checks.filter(({ ok }) => !ok)).toEqual([]);
  const isNear = (time: string | undefined) => Math.abs(Date.parse(time ?? '') - now.getTime()) < 60_000;
  await withBus(store, async (bus) => {
    const { messages } = await bus.readMessages({ since_id: 0 });
    expect(messages.map(({ id }) => id)).toEqual([3, 4, 5, 6, 7]);
    for (const { ts } of messages) expect(isNear(ts), ts).toBe(true);
    expect(await bus.getLane({ lane: 'held' })).toMatchObject({ state: 'held', fence: 1 });
    const next = await bus.postMessage(post);
    expect([next.id, isNear(next.ts)]).toEqual([8, true]);
    expect(await bus.claimLane({ lane: 'free', owner: 'eve' })).toMatchObject({ lane: { fence: 2 } });
  });
});

test('restore without that leaves times as they are, and with it those that are not ahead', async () => {
  const { folder, store } = await createStoreAhead();
  const [ahead, sound] = [join(folder, 'ahead.db'), join(folder, 'sound.db')];
  await backUp({ store, file: ahead }, noProgress);
  await restore({ store, file: ahead, now: new Date() }, noProgress);
  await withBus(store, async (bus) => expect((await bus.postMessage(post)).ts).toMatch(/^2037/));

  const other = join(folder, 'other.db');
  await withBus(other, fillBus);
  const read = () => withBus(other, (bus) => bus.readMessages({ since_id: 0 }));
  const before = await read();
  await backUp({ store: other, file: sound }, noProgress);
  await restore({ store: other, file: sound, now: new Date(), resetsClock: true }, noProgress);
  expect(await read()).toEqual(before);
});
