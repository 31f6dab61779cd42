import { expect } from 'vitest';
import { isPending, refusalOf } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';
import { hold } from './scopes.ts';

/** Claims with scopes that wait: one line, in order of arrival. */
export const scopeLines: readonly Rule[] = [
  rule(
    'serves who waits for paths when their holder releases them, and says what blocks meanwhile',
    { uses: ['claimLane'] },
    async ({ bus, engine, untilInLine }) => {
      await hold(engine, 'one', 'ada', ['a', 'b']);
      const waits = bus.claimLane({
        lane: 'two',
        owner: 'bob',
        paths: ['b/x', 'c'],
        wait_s: 60,
        note: 'next',
      });
      await untilInLine('two', ['bob']);
      expect((await engine.getBusStatus({})).waiting).toMatchObject([
        { lane: 'two', owner: 'bob', paths: ['b/x', 'c'], note: 'next', blocked_by: ['one'] },
      ]);
      expect((await engine.getLane({ lane: 'two' })).state).toBe('free');
      await engine.releaseLane({ lane: 'one', owner: 'ada' });
      const served = await waits;
      expect(served).toMatchObject({ decision: 'claim', lane: { paths: ['b/x', 'c'], note: 'next' } });
    },
  ),

  rule(
    'serves who waits for paths at the millisecond that the lease blocking them runs out',
    { uses: ['claimLane'] },
    async ({ bus, engine, clock, untilInLine }) => {
      await engine.claimLane({ lane: 'one', owner: 'ada', paths: ['a'], lease_s: 10 });
      await engine.claimLane({ lane: 'two', owner: 'cy', lease_s: 5 });
      const waits = bus.claimLane({ lane: 'two', owner: 'bob', paths: ['a/x'], wait_s: 60 });
      await untilInLine('two', ['bob']);
      clock.advance(9.999);
      expect(await isPending(waits)).toBe(true);
      clock.advance(0.001);
      expect(await waits).toMatchObject({ decision: 'steal', lane: { owner: 'bob', paths: ['a/x'] } });
    },
  ),

  rule(
    'serves disjoint waiters at once, and overlapping ones in the order in which they came',
    { uses: ['claimLane'] },
    async ({ bus, engine, clock, untilInLine }) => {
      await hold(engine, 'one', 'ada', ['a']);
      await hold(engine, 'far', 'zoe', ['z']);
      const order: string[] = [];
      const wait = async (lane: string, owner: string, paths: string[]) => {
        const answer = bus.claimLane({ lane, owner, paths, wait_s: 100 }).then(() => order.push(owner));
        await untilInLine(lane, [owner]);
        clock.advance(0.001);
        return [answer] as const;
      };
      const [[first], [second], [third]] = [
        await wait('w1', 'first', ['a/1', 'b']),
        await wait('w2', 'second', ['b/x']),
        await wait('w3', 'third', ['z']),
      ] as const;
      // Nobody holds or waits for what it wants.
      await bus.claimLane({ lane: 'free', owner: 'fourth', paths: ['c'], wait_s: 100 });
      await engine.releaseLane({ lane: 'far', owner: 'zoe' });
      await third;
      expect(order).toEqual(['third']);
      await engine.releaseLane({ lane: 'one', owner: 'ada' });
      await first;
      expect(order).toEqual(['third', 'first']);
      await engine.releaseLane({ lane: 'w1', owner: 'first' });
      await second;
      expect(order).toEqual(['third', 'first', 'second']);
    },
  ),

  rule(
    'starves no wide claim by narrow ones that come later, waiting or not',
    { uses: ['claimLane'], refusals: ['paths_held', 'lane_held'] },
    async ({ bus, engine, untilInLine }) => {
      await hold(engine, 'one', 'ada', ['src/a']);
      const wide = bus.claimLane({ lane: 'all', owner: 'bob', paths: ['**'], wait_s: 60 });
      await untilInLine('all', ['bob']);
      const refusal = await refusalOf(bus.claimLane({ lane: 'two', owner: 'cy', paths: ['src/b'] }));
      expect(refusal.data).toMatchObject({ conflicts: [{ lane: 'all', owner: 'bob', is_next: true }] });
      expect(refusal.message).toContain(
        `'src/b' (as '**') goes to 'bob' first, who waits for it with lane 'all'`,
      );
      expect((await refusalOf(bus.claimLane({ lane: 'all', owner: 'cy' }))).message).toContain(
        `lane 'all' is free and goes to 'bob'`,
      );
      // Who holds something already keeps and renews it.
      await bus.claimLane({ lane: 'one', owner: 'ada', paths: ['src/a'] });
      await engine.releaseLane({ lane: 'one', owner: 'ada' });
      expect(await wide).toMatchObject({ decision: 'claim' });
    },
  ),

  rule(
    'frees those behind a waiter that goes away',
    { uses: ['claimLane', 'signal'] },
    async ({ bus, engine, untilInLine }) => {
      await hold(engine, 'one', 'ada', ['src/a']);
      const caller = new AbortController();
      const wide = bus.claimLane(
        { lane: 'all', owner: 'bob', paths: ['**'], wait_s: 60 },
        { signal: caller.signal },
      );
      const gone = wide.catch(() => 'gone');
      await untilInLine('all', ['bob']);
      const behind = engine.claimLane({ lane: 'two', owner: 'cy', paths: ['src/b'], wait_s: 60 });
      await untilInLine('two', ['cy']);
      caller.abort();
      expect(await gone).toBe('gone');
      expect(await behind).toMatchObject({ decision: 'claim' });
    },
  ),

  rule(
    'serves a waiter when its holder renews with fewer paths, and when a holder waited for other ones',
    { uses: ['claimLane'] },
    async ({ bus, engine, untilInLine }) => {
      await hold(engine, 'one', 'ada', ['a', 'b']);
      const first = bus.claimLane({ lane: 'two', owner: 'bob', paths: ['b'], wait_s: 60 });
      await untilInLine('two', ['bob']);
      await engine.claimLane({ lane: 'one', owner: 'ada', paths: ['a'] });
      expect(await first).toMatchObject({ decision: 'claim' });
      // Ada wants what bob holds, and gives up what cy waits for.
      const second = engine.claimLane({ lane: 'three', owner: 'cy', paths: ['a'], wait_s: 60 });
      await untilInLine('three', ['cy']);
      const swapped = bus.claimLane({ lane: 'one', owner: 'ada', paths: ['b'], wait_s: 60 });
      await untilInLine('one', ['ada']);
      await engine.releaseLane({ lane: 'two', owner: 'bob' });
      expect(await swapped).toMatchObject({ decision: 'renew', lane: { paths: ['b'] } });
      expect(await second).toMatchObject({ decision: 'claim', lane: { paths: ['a'] } });
    },
  ),
];
