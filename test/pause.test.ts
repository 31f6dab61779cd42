import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAliveUntil, showLife } from '../src/store/sqlite/integrity/life.ts';
import { lowest, openMarkFile, readMarkFile } from '../src/store/sqlite/integrity/mark.ts';
import { startBus } from './bus-process.ts';
import { createFolder } from './folder.ts';
import { refusalOf, until } from './suite/ask.ts';

const leaseSeconds = 4;
const stoppedSeconds = 6;

test('after a bus was killed, and its holders could not renew, they do so first when it is started again, once', async () => {
  const store = join(createFolder(), 'bus.db');
  const first = await startBus({ store });
  await first.client.claimLane({ lane: 'over', owner: 'ada', lease_s: 1 });
  await until('it ran out', async () => (await first.client.getLane({ lane: 'over' })).state === 'orphaned');
  // The next sign of life has seen that.
  await pause(1_200);
  // Longer than a sign is given ahead.
  const lease_s = 6;
  const holder = { owner: 'ada', lease_s };
  const thief = { owner: 'eve' };
  await first.client.claimLane({ lane: 'kept', ...holder });
  await first.client.claimLane({ lane: 'left', ...holder });
  await first.end('SIGKILL');
  await pause((lease_s + 2) * 1000);

  const bus = await startBus({ store });
  const { client } = bus;
  expect((await client.claimLane({ lane: 'over', ...thief })).decision, 'it was over before').toBe('steal');
  for (const name of ['kept', 'left']) {
    expect((await refusalOf(client.claimLane({ lane: name, ...thief }))).code).toBe('lane_held');
  }
  await client.heartbeatLane({ lane: 'kept', owner: 'ada', lease_s: 60 });
  const takeLeft = () =>
    client.claimLane({ lane: 'left', ...thief }).then(
      () => true,
      () => false,
    );
  await until('the grace of the lane that nobody renewed is over', takeLeft, lease_s + 6);
  await bus.end();

  const again = await startBus({ store });
  expect((await refusalOf(again.client.claimLane({ lane: 'kept', owner: 'bob' }))).code).toBe('lane_held');
  await again.end();
});

test('until when a bus served is believed unless the machine went down without a word', () => {
  const path = join(createFolder(), 'bus.db.mark');
  expect(readAliveUntil(path), 'there is no mark').toBeUndefined();
  openMarkFile(path).close();
  expect(readAliveUntil(path), 'nobody wrote it').toBeUndefined();
  const life = showLife({ path, now: () => 50_000, isHeldAfter: () => true });
  expect(readAliveUntil(path, 40_000), 'killed').toBe(53_000);
  expect(readAliveUntil(path, 60_000), 'the machine was started since').toBeUndefined();
  life.stop();
  expect(readAliveUntil(path, 60_000), 'stopped before that').toBe(50_000);
  expect(readMarkFile(path), 'the mark is what it was').toEqual(lowest);
});

/** Real time, because a process that is stopped has no other. */
test('after a process was stopped for longer than the leases their holders renew first, once', async () => {
  const bus = await startBus({ store: join(createFolder(), 'bus.db') });
  const { client } = bus;
  const holder = { owner: 'ada', lease_s: leaseSeconds };
  const thief = { owner: 'eve' };
  const { lane } = await client.claimLane({ lane: 'kept', ...holder });
  await client.claimLane({ lane: 'left', ...holder });

  bus.process.kill('SIGSTOP');
  // Asked while nobody can answer: it must not be served first just because it waits at the door.
  const atTheDoor = refusalOf(client.claimLane({ lane: 'kept', ...thief }));
  await pause(stoppedSeconds * 1000);
  bus.process.kill('SIGCONT');

  expect((await atTheDoor).code).toBe('lane_held');
  await until('the log tells of it', () => bus.said().includes('the bus did not run for a while'));
  for (const name of ['kept', 'left']) {
    expect((await refusalOf(client.claimLane({ lane: name, ...thief }))).code).toBe('lane_held');
  }
  const renewed = await client.heartbeatLane({ lane: 'kept', owner: 'ada', lease_s: 60, fence: lane.fence });
  expect(renewed.lane).toMatchObject({ owner: 'ada', fence: lane.fence });

  await until(
    'the grace of the lane that nobody renewed is over',
    () =>
      client.claimLane({ lane: 'left', ...thief }).then(
        () => true,
        () => false,
      ),
    leaseSeconds + 4,
  );
  expect((await refusalOf(client.heartbeatLane({ lane: 'left', ...holder }))).code).toBe('not_holder');
  expect((await refusalOf(client.claimLane({ lane: 'kept', ...thief }))).code).toBe('lane_held');
});
