import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { refusalOf } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

/** There is a limit on everything that callers can make the bus hold. */
export const limitRules: readonly Rule[] = [
  rule(
    'lets one owner wait for 64 lanes and no more, and gives it what is free even then',
    { uses: ['claimLane'], refusals: ['too_many'] },
    async ({ bus, engine, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const waiting = Array.from({ length: limits.waitersPerOwnerMax }, () =>
        engine.claimLane({ lane: 'feeds', owner: 'greedy', wait_s: 60 }).catch(() => {}),
      );
      await untilInLine('feeds', Array(limits.waitersPerOwnerMax).fill('greedy'));
      const claim = { owner: 'greedy', wait_s: 60 };
      const { status, code, data } = await refusalOf(bus.claimLane({ ...claim, lane: 'feeds' }));
      expect([status, code, data]).toEqual([429, 'too_many', { limit: 64, retry_after_s: 5 }]);
      expect((await bus.claimLane({ ...claim, lane: 'free' })).decision).toBe('claim');
      void waiting;
    },
  ),

  rule(
    'lets so many read and wait, and answers the next that it is one too many',
    { uses: ['readMessages', 'readEvents'], refusals: ['too_many'] },
    async ({ bus, engine, untilWaiting, shutDown }) => {
      const waiting = Array.from({ length: limits.waitingReadersMax }, () =>
        engine.readMessages({ since_id: 0, wait_s: 60 }).catch(() => {}),
      );
      await untilWaiting(limits.waitingReadersMax);
      const full = { limit: limits.waitingReadersMax, retry_after_s: 5 };
      expect((await refusalOf(bus.readMessages({ since_id: 0, wait_s: 60 }))).data).toEqual(full);
      expect((await refusalOf(bus.readEvents({ since: 0, wait_s: 60 }))).data).toEqual(full);
      expect((await bus.readMessages({ since_id: 0 })).messages).toEqual([]);
      shutDown();
      await Promise.all(waiting);
    },
  ),
];
