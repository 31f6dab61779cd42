import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { refusalOf, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

const flag = { topic: 'deploy', sender: 'ada', body: 'please look', action_flag: true };

export const flags: readonly Rule[] = [
  rule(
    'takes an acknowledged flag from the list of those that wait for a person',
    { uses: ['acknowledgeFlag', 'getBusStatus', 'wholeStatus'] },
    async ({ bus, engine, clock }) => {
      const [first, second] = [await engine.postMessage(flag), await engine.postMessage(flag)];
      clock.advance(60);
      const acknowledged = await bus.acknowledgeFlag({ id: 1, by: 'grace' });
      expect(acknowledged).toEqual({
        ...first,
        acknowledged_by: 'grace',
        acknowledged_at: timestampIn(clock),
      });
      const { pending_action_flags, recent_messages, _meta } = await bus.getBusStatus({});
      expect([pending_action_flags, _meta.pending_action_flag_count]).toEqual([[second], 1]);
      expect(recent_messages).toEqual([second, acknowledged]);
    },
  ),

  rule(
    'lets the first acknowledgement stand when it is said again',
    { uses: ['acknowledgeFlag'] },
    async ({ bus, engine, clock, kept }) => {
      await engine.postMessage(flag);
      const first = await bus.acknowledgeFlag({ id: 1, by: 'grace' });
      const before = await kept();
      clock.advance(60);
      expect(await bus.acknowledgeFlag({ id: 1, by: 'linus' })).toEqual(first);
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'finds nothing to acknowledge where there is no message, or no flag on it',
    { uses: ['acknowledgeFlag'], refusals: ['not_found'] },
    async ({ bus, engine, kept }) => {
      await engine.postMessage({ ...flag, action_flag: false });
      const before = await kept();
      for (const id of [1, 2]) {
        const { status, code, detail } = await refusalOf(bus.acknowledgeFlag({ id, by: 'grace' }));
        expect([status, code]).toEqual([404, 'not_found']);
        expect(detail).toContain(`message ${id}`);
      }
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'shows the newest fifty flags and counts them all',
    { uses: ['getBusStatus', 'wholeStatus'] },
    async ({ bus, engine }) => {
      for (let count = 0; count <= limits.statusFlagsMax; count += 1) await engine.postMessage(flag);
      const { pending_action_flags, _meta } = await bus.getBusStatus({});
      expect(pending_action_flags.map(({ id }) => id)).toEqual(
        Array.from({ length: 50 }, (_, index) => 51 - index),
      );
      expect(_meta.pending_action_flag_count).toBe(51);
    },
  ),

  rule(
    'keeps flags and who acknowledged them when it is reopened',
    { uses: ['getBusStatus', 'wholeStatus'] },
    async ({ bus, engine, restart }) => {
      await engine.postMessage(flag);
      await engine.postMessage(flag);
      const acknowledged = await engine.acknowledgeFlag({ id: 2, by: 'grace' });
      await restart();
      const { pending_action_flags, recent_messages, _meta } = await bus.getBusStatus({});
      expect(pending_action_flags.map(({ id }) => id)).toEqual([1]);
      expect(recent_messages[0]).toEqual(acknowledged);
      expect(_meta.pending_action_flag_count).toBe(1);
    },
  ),
];
