import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/http/client.ts';
import { decideLife, toLastPause } from '../../src/store/postgres/life.ts';
import { startBus } from '../bus-process.ts';
import { refusalOf, until } from '../suite/ask.ts';
import { createTestSchemaOn, type TestSchema } from '../suite/postgres.ts';
import { type PostgresServer, startPostgresServer } from '../suite/postgres-server.ts';
import { createOwnSchema, openOwnBus, openToldBus } from './buses.ts';

/** As if everything had slept for an hour: all that was written is an hour older than it was. */
async function sleepForAnHour({ ask }: TestSchema): Promise<void> {
  const hour = 3_600_000;
  await ask(
    `WITH lane AS (UPDATE lanes SET claimed_at = claimed_at - ${hour}, heartbeat_at = heartbeat_at - ${hour},
         expires_at = expires_at - ${hour} WHERE owner IS NOT NULL),
       counter AS (UPDATE counters SET clock_ms = clock_ms - ${hour})
     UPDATE life SET served_until = served_until - ${hour}`,
  );
}

describe('buses that share a database', () => {
  describe.each([10, 60, 300])('and slept with it for an hour, with a lease of %d s', (lease_s) => {
    test('grant their holders at least one more renewal, whichever bus is asked, and a lease that was over stays over', async () => {
      const place = await createOwnSchema();
      const [one, other] = [await openOwnBus(place.url), await openOwnBus(place.url)];
      const { bus } = one;
      await bus.claimLane({ lane: 'over', owner: 'ada', lease_s: 1 });
      await until('it is over', async () => (await bus.getLane({ lane: 'over' })).state === 'orphaned');
      for (const lane of ['kept', 'left']) await bus.claimLane({ lane, owner: 'ada', lease_s });
      await until('the buses have shown that they serve', async () => {
        const [row] = await place.ask(
          'SELECT served_until > (SELECT max(expires_at) FROM lanes WHERE lane = $1) AS is_past FROM life',
          ['over'],
        );
        return row?.is_past === true;
      });

      await sleepForAnHour(place);
      const refusals = await Promise.all(
        [one, other].map((it) => refusalOf(it.bus.claimLane({ lane: 'kept', owner: 'eve' }))),
      );
      const grace = Math.min(lease_s, Math.ceil(lease_s / 3) + 15);
      for (const { code, data } of refusals) {
        expect(code).toBe('lane_held');
        expect(data?.expires_in_s).toBeLessThanOrEqual(grace);
        expect(data?.expires_in_s).toBeGreaterThan(grace - 4);
      }
      expect(await other.bus.heartbeatLane({ lane: 'kept', owner: 'ada', lease_s, fence: 1 })).toMatchObject({
        lane: { owner: 'ada', fence: 1 },
      });
      expect((await refusalOf(bus.heartbeatLane({ lane: 'over', owner: 'ada' }))).code).toBe('not_holder');
      await until(
        'readers see the grace',
        async () => (await bus.getLane({ lane: 'left' })).state === 'held',
      );
    });
  });

  test('say once that they did not run', async () => {
    const place = await createOwnSchema();
    const { bus, notices } = await openToldBus(place.url);
    await bus.claimLane({ lane: 'docs', owner: 'ada', lease_s: 600 });
    await sleepForAnHour(place);
    await until('it is told', () => notices.length > 0);
    await bus.heartbeatLane({ lane: 'docs', owner: 'ada' });
    const told = notices.filter(({ message }) => message.includes('did not run for a while'));
    expect(told).toHaveLength(1);
    const { seconds = 0 } = (told[0]?.data ?? {}) as { seconds?: number };
    expect(seconds).toBeGreaterThan(3_590);
    expect(seconds).toBeLessThan(3_610);
  });

  test('go by no pause when somebody held nothing, or a bus went on serving', () => {
    const life = { servedUntil: 10_000, pauses: [], isHeldAfter: true };
    expect(decideLife(life, 10_000)).toBe(life);
    expect(decideLife({ ...life, isHeldAfter: false }, 60_000).pauses).toEqual([]);
    const after = decideLife(life, 60_000);
    expect(after.servedUntil).toBeGreaterThan(60_000);
    expect(toLastPause(after)).toMatchObject({ from: 10_000, to: 60_000 });
    expect(decideLife(after, after.servedUntil).pauses).toHaveLength(1);
    const twice = decideLife(after, 200_000);
    expect(toLastPause(twice)).toMatchObject({ to: 200_000, before: { from: 10_000, to: 60_000 } });
  });
});

/** Real time, because a process that is stopped has no other. */
describe('a world that stops', { timeout: 60_000 }, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.remove());

  const [lease_s, stoppedSeconds] = [7, 9];
  const holder = { owner: 'ada', lease_s };
  const thief = { owner: 'eve' };

  async function startBusOn(url: string) {
    const { pid, url: origin } = await startBus({ environment: { BUS_STORE: url } });
    const client = createClient({ baseUrl: `${origin}/api/bus` });
    onTestFinished(client.close);
    return { pid, client };
  }

  test('because all buses do, is one in which nobody could renew', async () => {
    const { url } = createTestSchemaOn(server.url);
    const buses = [await startBusOn(url), await startBusOn(url)];
    const [one, other] = buses as [(typeof buses)[0], (typeof buses)[0]];
    await one.client.claimLane({ lane: 'kept', ...holder });
    for (const { pid } of buses) process.kill(pid, 'SIGSTOP');
    const atTheDoor = refusalOf(other.client.claimLane({ lane: 'kept', ...thief }));
    await pause(stoppedSeconds * 1000);
    for (const { pid } of buses) process.kill(pid, 'SIGCONT');
    expect((await atTheDoor).code).toBe('lane_held');
    expect((await one.client.heartbeatLane({ lane: 'kept', ...holder, fence: 1 })).lane.owner).toBe('ada');
  });

  test('because its database does, is one too', async () => {
    const { url } = createTestSchemaOn(server.url);
    const { client } = await startBusOn(url);
    await client.claimLane({ lane: 'kept', ...holder });
    await server.stop('immediate');
    await pause(stoppedSeconds * 1000);
    await server.start();
    await until('the lane is still held', async () => {
      const refusal = await refusalOf(client.claimLane({ lane: 'kept', ...thief }));
      expect(['unavailable', 'lane_held']).toContain(refusal.code);
      return refusal.code === 'lane_held';
    });
    expect((await client.heartbeatLane({ lane: 'kept', ...holder, fence: 1 })).lane.owner).toBe('ada');
  });

  test('is none while one bus goes on: there everybody could renew', async () => {
    const { url } = createTestSchemaOn(server.url);
    const [one, other] = [await startBusOn(url), await startBusOn(url)];
    await one.client.claimLane({ lane: 'kept', ...holder });
    process.kill(one.pid, 'SIGSTOP');
    const granted = await other.client.claimLane({ lane: 'kept', ...thief, wait_s: stoppedSeconds });
    process.kill(one.pid, 'SIGCONT');
    expect(granted).toMatchObject({ decision: 'steal', lane: { owner: 'eve', fence: 2 } });
    expect((await refusalOf(one.client.heartbeatLane({ lane: 'kept', ...holder }))).code).toBe('not_holder');
  });
});
