import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFolder, startBus } from './disk-faults/bus.ts';
import { refusalOf, until } from './suite/ask.ts';

const leaseSeconds = 4;
const stoppedSeconds = 6;

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
  await until('the log tells of it', () => bus.said().includes('this process did not run for a while'));
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
