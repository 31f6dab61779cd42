import { describe, expect, test } from 'vitest';
import type { Bus } from '../../src/contract/contract.ts';
import { refusalOf, soon, until } from '../suite/ask.ts';
import { openTwoBuses } from './buses.ts';

const inLine = async (bus: Bus, lane: string) =>
  (await bus.getLane({ lane })).waiting.map(({ owner }) => owner).join();

describe('two buses in front of one queue', () => {
  test('serve those who wait for a lane in the order they came, wherever they wait', async () => {
    const { one, other } = await openTwoBuses();
    const fences: Record<string, number> = {};
    await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
    const served: string[] = [];
    for (const [owner, { bus }] of Object.entries({ bob: other, cyd: one, dee: other, eve: one })) {
      const waiting = await inLine(one.bus, 'docs');
      void bus.claimLane({ lane: 'docs', owner, wait_s: 300 }).then(({ decision, lane }) => {
        served.push(owner);
        fences[owner] = lane.fence;
        expect(decision).toBe('claim');
      });
      await until(`${owner} waits`, async () => (await inLine(other.bus, 'docs')) !== waiting);
    }
    expect(await inLine(one.bus, 'docs')).toBe('bob,cyd,dee,eve');
    for (const [index, owner] of ['ada', 'bob', 'cyd', 'dee'].entries()) {
      const { bus } = index % 2 === 0 ? one : other;
      await bus.releaseLane({ lane: 'docs', owner });
      await until(`${owner} is followed`, () => served.length === index + 1);
    }
    expect(served).toEqual(['bob', 'cyd', 'dee', 'eve']);
    expect(fences).toEqual({ bob: 2, cyd: 3, dee: 4, eve: 5 });
  });

  test('give the place of a claim that waits at one to its repeat at the other', async () => {
    const { place, one, other, clock } = await openTwoBuses();
    await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
    const claim = ({ bus }: typeof one, wait_s: number) =>
      bus.claimLane({ lane: 'docs', owner: 'bob', wait_s }, { idempotencyKey: 'once' });
    const first = claim(one, 60);
    await until('bob waits', async () => (await inLine(other.bus, 'docs')) === 'bob');
    const cyd = one.bus.claimLane({ lane: 'docs', owner: 'cyd', wait_s: 300 });
    await until('cyd waits', async () => (await inLine(other.bus, 'docs')) === 'bob,cyd');
    await place.ask(`UPDATE waiters SET arrived_at = now() - interval '300 seconds' WHERE owner = 'bob'`);
    const second = claim(other, 300);
    const takers = `SELECT bus FROM waiters WHERE owner = 'bob' AND arrived_at > now() - interval '60 seconds'`;
    await until('the place is taken over', async () => (await place.ask(takers)).length === 1);
    expect(await inLine(one.bus, 'docs')).toBe('bob,cyd');
    // The first hears of it when its own time is over, and what it leaves then is not its place any more.
    clock.advance(60);
    expect((await refusalOf(first)).code).toBe('lane_held');
    expect(await inLine(one.bus, 'docs')).toBe('bob,cyd');
    await one.bus.releaseLane({ lane: 'docs', owner: 'ada' });
    expect(await soon('bob is served', second)).toMatchObject({ decision: 'claim', lane: { fence: 2 } });
    await one.bus.releaseLane({ lane: 'docs', owner: 'bob' });
    expect(await soon('cyd is served', cyd)).toMatchObject({ lane: { owner: 'cyd', fence: 3 } });
    expect(await place.ask('SELECT * FROM waiters')).toEqual([]);
  });

  test('keep the place that was taken over when the one where it was is closed', async () => {
    const { place, one, other } = await openTwoBuses();
    await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
    const claim = ({ bus }: typeof one) =>
      bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 300 }, { idempotencyKey: 'once' });
    const whereItIs = async () => (await place.ask('SELECT bus FROM waiters')).map(({ bus }) => bus).join();
    const first = refusalOf(claim(one));
    await until('bob waits', async () => (await whereItIs()) !== '');
    const atOne = await whereItIs();
    const second = claim(other);
    await until('the other has the place', async () => (await whereItIs()) !== atOne);
    await one.close();
    expect((await first).code).toBe('unavailable');
    expect(await inLine(other.bus, 'docs')).toBe('bob');
    await other.bus.releaseLane({ lane: 'docs', owner: 'ada' });
    expect(await soon('bob is served', second)).toMatchObject({ lane: { owner: 'bob', fence: 2 } });
  });

  test('answer all claims of an owner wherever they wait, once one of them is served', async () => {
    const { one, other } = await openTwoBuses();
    await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
    const first = one.bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 300 });
    await until('bob waits', async () => (await inLine(other.bus, 'docs')) === 'bob');
    const second = other.bus.claimLane({ lane: 'docs', owner: 'bob', lease_s: 7, wait_s: 300 });
    await until('bob waits twice', async () => (await inLine(one.bus, 'docs')) === 'bob,bob');
    await one.bus.releaseLane({ lane: 'docs', owner: 'ada' });
    expect(await soon('bob is served', first)).toMatchObject({ decision: 'claim', lane: { fence: 2 } });
    const renewed = await soon('the other is told', second);
    expect(renewed).toMatchObject({ decision: 'renew', lane: { fence: 2, lease_s: 7 } });
  });

  test('hand a lane over when a lease runs out that was made shorter at the other', async () => {
    const { one, other, clock } = await openTwoBuses();
    await one.bus.claimLane({ lane: 'docs', owner: 'ada', lease_s: 300 });
    const waiting = one.bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 200 });
    await until('bob waits', async () => (await inLine(other.bus, 'docs')) === 'bob');
    await other.bus.heartbeatLane({ lane: 'docs', owner: 'ada', lease_s: 10 });
    await until('the alarm is set', () => clock.alarms().includes(clock.now() + 10_000));
    clock.advance(10);
    expect(await soon('bob is served', waiting)).toMatchObject({ decision: 'steal', lane: { owner: 'bob' } });
  });

  test('keep no place for who waits at a process that shows no sign of life', async () => {
    const { place, one, other } = await openTwoBuses();
    await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
    const waiting = one.bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 300 });
    await until('bob waits', async () => (await inLine(other.bus, 'docs')) === 'bob');
    await place.ask(
      `INSERT INTO waiters (arrival, ticket, bus, lane, owner, since, lease_s) OVERRIDING SYSTEM VALUE
       VALUES (-1, 'lost-1', 'lost', 'docs', 'zoe', 0, 60)`,
    );
    await place.ask(`INSERT INTO buses VALUES ('lost', now() + interval '1 hour')`);
    expect(await inLine(other.bus, 'docs')).toBe('zoe,bob');
    await place.ask(`UPDATE buses SET alive_until = now() WHERE bus = 'lost'`);
    expect(await inLine(other.bus, 'docs')).toBe('bob');
    await other.bus.releaseLane({ lane: 'docs', owner: 'ada' });
    expect(await soon('bob is served', waiting)).toMatchObject({ lane: { owner: 'bob' } });
  });

  test('forget who waited at a bus that was closed', async () => {
    const { place, one, other } = await openTwoBuses();
    await one.bus.claimLane({ lane: 'docs', owner: 'ada' });
    const waiting = refusalOf(other.bus.claimLane({ lane: 'docs', owner: 'bob', wait_s: 300 }));
    await until('bob waits', async () => (await inLine(one.bus, 'docs')) === 'bob');
    await other.close();
    expect((await waiting).code).toBe('unavailable');
    expect(await inLine(one.bus, 'docs')).toBe('');
    expect(await place.ask('SELECT * FROM waiters')).toEqual([]);
  });
});
