import { expect } from 'vitest';
import { refusalOf } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const stopping: readonly Rule[] = [
  rule(
    'tells those who wait for messages that the bus stops, instead of letting them hang',
    { uses: ['readMessages'], refusals: ['unavailable'] },
    async ({ bus, untilWaiting, shutDown }) => {
      const refused = refusalOf(bus.readMessages({ since_id: 0, wait_s: 60 }));
      await untilWaiting(1);
      shutDown();
      const { status, code, data } = await refused;
      expect([status, code, data]).toEqual([503, 'unavailable', { retry_after_s: 1 }]);
    },
  ),

  rule(
    'tells those who wait for a lane that the bus stops, and grants it to none of them',
    { uses: ['claimLane'], refusals: ['unavailable'] },
    async ({ bus, engine, untilInLine, untilWaiting, shutDown, restart }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const refused = refusalOf(bus.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 }));
      await untilInLine('feeds', ['bob']);
      await untilWaiting(2);
      shutDown();
      expect([(await refused).status, (await refused).code]).toEqual([503, 'unavailable']);
      await restart();
      expect(await engine.getLane({ lane: 'feeds' })).toMatchObject({ state: 'held', fence: 1, waiting: [] });
    },
  ),

  rule(
    'refuses to begin a wait once the bus stops',
    { uses: ['readMessages'], refusals: ['unavailable'] },
    async ({ bus, shutDown }) => {
      shutDown();
      expect((await refusalOf(bus.readMessages({ since_id: 0, wait_s: 60 }))).code).toBe('unavailable');
    },
  ),
];
