import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startBus } from '../bus-process.ts';
import { createHome } from '../daemon/machine.ts';
import { startMcpServer } from '../daemon/mcp-server.ts';
import { createFolder } from '../folder.ts';
import { startCommand } from '../processes.ts';
import { refusalOf, until } from '../suite/ask.ts';

const [leaseSeconds, stoppedSeconds] = [4, 8];
const parties = ['bus', 'server', 'hold'] as const;

/** Every choice of some of them. */
const choices = [1, 2, 3, 4, 5, 6, 7].map((bits) => parties.filter((_, index) => bits & (1 << index)));

/**
 * Real time, because a process that is stopped has no other: all choices at once. Everything stops for longer than the
 * lease. A keeper that stops while the bus goes on has lost its lane to whoever waited for it.
 */
test('whoever is stopped, a lane is lost only when the bus went on serving, and then both keepers say so', {
  timeout: 60_000,
}, async () => {
  const outcomes = await Promise.all(choices.map(async (stopped) => [stopped, await stop(stopped)] as const));
  for (const [stopped, { held, kept }] of outcomes) {
    const isServing = !stopped.includes('bus');
    expect({ stopped, held }).toEqual({
      stopped,
      held: isServing && stopped.includes('hold') ? 'lost' : 'held',
    });
    expect({ stopped, kept }).toEqual({
      stopped,
      kept: isServing && stopped.includes('server') ? 'lost' : 'held',
    });
  }
});

/** What became of the lane that `hold` held, and of the one that the MCP server kept. */
async function stop(stopped: readonly (typeof parties)[number][]) {
  const folder = createFolder();
  const bus = await startBus({ store: join(folder, 'bus.db') });
  const { client } = bus;
  const environment = { BUS_MCP_BASE_URL: `${bus.url}/api/bus` };
  const home = createHome();
  const server = startMcpServer(home, environment);
  const argv = ['hold', 'held', '--owner', 'ada', '--lease', String(leaseSeconds), '--', 'sleep', '60'];
  const hold = startCommand(argv, { ...environment, HOME: home.folder });
  onTestFinished(async () => {
    for (const child of [server.child, hold.child]) child.kill('SIGCONT');
    for (const child of [server.child, hold.child]) child.kill('SIGKILL');
    await home.remove();
  });
  const claim = { lane: 'kept', owner: 'ada', lease_s: leaseSeconds, keep_alive: true };
  expect(await server.call('claim_lane', claim)).toMatchObject({ ok: true });
  await until(
    'both lanes are held',
    async () => {
      const { lanes } = await client.listLanes({ owner: 'ada' });
      return lanes.length === 2;
    },
    20,
  );

  const processes = { bus: bus.process, server: server.child, hold: hold.child };
  for (const name of stopped) processes[name].kill('SIGSTOP');
  const thieves = ['held', 'kept'].map((lane) =>
    client.claimLane({ lane, owner: 'eve', wait_s: stoppedSeconds + 6 }),
  );
  await pause(stoppedSeconds * 1000);
  for (const name of stopped) processes[name].kill('SIGCONT');
  const [held, kept] = await Promise.all(
    thieves.map((thief) =>
      thief.then(
        () => 'lost',
        ({ code }) => (code === 'lane_held' ? 'held' : code),
      ),
    ),
  );

  if (held === 'lost') {
    expect(await hold.ended).not.toBe(0);
    expect(hold.errorOutput()).toContain("lane 'held' is lost, stopping the command: ");
  } else {
    expect(hold.child.exitCode).toBeNull();
    expect((await refusalOf(client.claimLane({ lane: 'held', owner: 'eve' }))).code).toBe('lane_held');
  }
  const { lost_lanes: lostLanes } = await server.call('get_bus_status');
  expect(lostLanes).toEqual(kept === 'lost' ? ['kept'] : undefined);
  return { held, kept };
}
