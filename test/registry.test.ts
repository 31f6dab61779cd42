import { expect, test } from 'vitest';
import { decideClaim } from '../src/bus/lanes.ts';
import { createRegistry } from '../src/bus/registry.ts';
import type { Waiter } from '../src/store/rows.ts';
import type { View } from '../src/store/store.ts';

const waiter: Waiter = {
  ticket: 'bus-1',
  lane: 'first',
  owner: 'ada',
  since: 1,
  leaseSeconds: 60,
  paths: ['src/a', 'lib'],
};

test('a claim gives way to who came before, and not to who waits in a process that is away', () => {
  const claim = { owner: 'bob', leaseSeconds: 60, paths: ['lib'] };
  const decide = (line: readonly Waiter[]) =>
    decideClaim(createRegistry(viewOf(line), { hasScopes: true }).state('second'), claim, 2);
  expect(decide([waiter])).toMatchObject({ refused: 'paths_held' });
  expect(decide([{ ...waiter, isAway: true }])).toMatchObject({ decision: 'claim' });
});

function viewOf(line: readonly Waiter[]): View {
  return {
    now: 2,
    counters: {} as View['counters'],
    find: () => undefined,
    queue: () => [],
    line: () => line,
    scopedLanes: () => [],
  };
}
