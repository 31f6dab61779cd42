import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { refusalOf, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const presence: readonly Rule[] = [
  rule(
    'lists agents by id, page by page, with what they hold and wait for',
    { uses: ['listAgents'] },
    async ({ bus, engine, clock, untilInLine, shutDown }) => {
      await engine.joinAgent({ session: 'one', client: 'claude-code', place: 'pocket' });
      const joined_at = timestampIn(clock);
      await engine.claimLane({ lane: 'feeds', owner: 'claude-1', lease_s: 1_000 });
      await engine.claimLane({ lane: 'short', owner: 'claude-1', lease_s: 1 });
      clock.advance(2);
      const waiting = engine.claimLane({ lane: 'feeds', owner: 'session-A', wait_s: 300 });
      await untilInLine('feeds', ['session-A']);
      const { agents: listed, has_more } = await bus.listAgents({ limit: 1 });
      const claude = { agent: 'claude-1', client: 'claude-code', place: 'pocket', joined_at };
      expect(listed).toEqual([{ ...claude, seen_s_ago: 2, state: 'here', holds: ['feeds'] }]);
      expect(has_more).toBe(true);
      const rest = await bus.listAgents({ after: 'claude-1' });
      const other = { agent: 'session-A', joined_at: timestampIn(clock), seen_s_ago: 0, state: 'here' };
      expect(rest).toEqual({ agents: [{ ...other, holds: [], waits_for: ['feeds'] }], has_more: false });
      shutDown();
      await refusalOf(waiting);
    },
  ),

  rule(
    'knows an id that never joined from its first write, and says when it falls quiet',
    { uses: ['listAgents', 'postMessage'] },
    async ({ bus, clock }) => {
      await bus.postMessage({ topic: 'log', sender: 'session-A', body: 'hello' });
      const stateOf = async () => (await bus.listAgents({})).agents.map(({ agent, state }) => [agent, state]);
      expect(await stateOf()).toEqual([['session-A', 'here']]);
      clock.advance(limits.agentHereSeconds - 1);
      expect(await stateOf()).toEqual([['session-A', 'here']]);
      clock.advance(1);
      expect(await stateOf()).toEqual([['session-A', 'quiet']]);
    },
  ),

  rule(
    'takes no lane away from an agent that is quiet',
    { uses: ['listAgents'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 3_600 });
      clock.advance(3_000);
      expect((await bus.listAgents({})).agents).toMatchObject([{ state: 'quiet', holds: ['feeds'] }]);
    },
  ),

  rule(
    'takes a sign of life from a caller that only reads, for an agent that it knows',
    { uses: ['listAgents'] },
    async ({ bus, engine, clock }) => {
      await engine.joinAgent({ session: 'one', agent: 'ada' });
      clock.advance(limits.agentHereSeconds);
      await engine.readMessages({}, { agent: 'ada' });
      await engine.readMessages({}, { agent: 'stranger' });
      const { agents: listed } = await bus.listAgents({});
      expect(listed.map(({ agent, state }) => [agent, state])).toEqual([['ada', 'here']]);
    },
  ),

  rule(
    'shows in the status who is here, the ones heard last first',
    { uses: ['getBusStatus', 'wholeStatus'] },
    async ({ bus, engine, clock }) => {
      await engine.joinAgent({ session: 'one', client: 'claude-code' });
      clock.advance(1);
      await engine.postMessage({ topic: 'log', sender: 'bob', body: 'hello' });
      const { agents: shown = [] } = await bus.getBusStatus({});
      expect(shown.map(({ agent, state }) => [agent, state])).toEqual([
        ['bob', 'here'],
        ['claude-1', 'here'],
      ]);
    },
  ),

  rule(
    'shows the sub-ids of an agent that left as left',
    { uses: ['listAgents', 'leaveAgent'] },
    async ({ bus, engine }) => {
      await engine.joinAgent({ session: 'one', client: 'claude-code' });
      await engine.claimLane({ lane: 'tests', owner: 'claude-1/tests' });
      expect((await bus.listAgents({})).agents.map(({ state }) => state)).toEqual(['here', 'here']);
      await bus.leaveAgent({ agent: 'claude-1', session: 'one' });
      expect((await bus.listAgents({})).agents.map(({ state }) => state)).toEqual(['left', 'left']);
    },
  ),

  rule(
    'forgets with the log the agents that hold nothing and were silent since, and gives their numbers to nobody',
    { uses: ['pruneMessages', 'listAgents', 'joinAgent'] },
    async ({ bus, engine, clock }) => {
      for (const session of ['one', 'two', 'three']) await engine.joinAgent({ session, client: 'codex' });
      await engine.claimLane({ lane: 'held', owner: 'codex-1/tests', lease_s: 86_400 });
      await engine.listAgents({});
      clock.advance(3_600);
      await engine.joinAgent({ session: 'three' });
      await engine.postMessage({ topic: 'log', sender: 'codex-3', body: 'still here' });
      await bus.pruneMessages({ before: timestampIn(clock) });
      const { agents: kept } = await bus.listAgents({});
      expect(kept.map(({ agent }) => agent)).toEqual(['codex-1', 'codex-1/tests', 'codex-3']);
      const again = await bus.joinAgent({ session: 'two', client: 'codex' });
      expect(again).toEqual({ agent: 'codex-4', is_new: true });
    },
  ),

  rule(
    'keeps what it heard of agents over a restart, to within a minute',
    { uses: ['listAgents'] },
    async ({ bus, engine, clock, restart }) => {
      await engine.joinAgent({ session: 'one', agent: 'ada' });
      clock.advance(limits.presenceKeptSeconds + 1);
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      await engine.claimLane({ lane: 'other', owner: 'bob' });
      await restart();
      const { agents: listed } = await bus.listAgents({});
      const ada = listed.find(({ agent }) => agent === 'ada');
      expect(ada?.seen_s_ago).toBeLessThanOrEqual(limits.presenceKeptSeconds);
    },
  ),
];
