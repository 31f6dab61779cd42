import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { refusalOf, soon, timestampIn } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

export const agents: readonly Rule[] = [
  rule(
    'gives each session an id of its own, named after its client',
    { uses: ['joinAgent'] },
    async ({ bus }) => {
      const join = async (session: string, client?: string) =>
        (await bus.joinAgent({ session, client })).agent;
      expect(await join('a', 'claude-code')).toBe('claude-1');
      expect(await join('b', 'codex-mcp-client')).toBe('codex-1');
      expect(await join('c', 'claude-code')).toBe('claude-2');
      expect(await join('d', 'My Own_Client 2')).toBe('my-own-client-2-1');
      expect(await join('e')).toBe('agent-1');
      expect(await join('f', '蟹')).toBe('agent-2');
    },
  ),

  rule(
    'answers a session that joins again with the agent it is, also after a restart',
    { uses: ['joinAgent'] },
    async ({ bus, restart }) => {
      const asked = { session: 'claude:1', client: 'claude-code', place: 'pocket' };
      expect(await bus.joinAgent(asked)).toEqual({ agent: 'claude-1', is_new: true });
      expect(await bus.joinAgent(asked)).toEqual({ agent: 'claude-1', is_new: false });
      await restart();
      expect(await bus.joinAgent({ session: 'claude:1' })).toEqual({ agent: 'claude-1', is_new: false });
      expect((await bus.joinAgent({ session: 'claude:2', client: 'claude-code' })).agent).toBe('claude-2');
    },
  ),

  rule('gives ten sessions that join at once ten ids', { uses: ['joinAgent'] }, async ({ bus }) => {
    const sessions = Array.from({ length: 10 }, (_, index) => `session-${index}`);
    const joined = await Promise.all(sessions.map((session) => bus.joinAgent({ session, client: 'codex' })));
    const ids = joined.map(({ agent }) => agent);
    expect(new Set(ids)).toEqual(new Set(sessions.map((_, index) => `codex-${index + 1}`)));
  }),

  rule('gives one session that joins many times at once one id', { uses: ['joinAgent'] }, async ({ bus }) => {
    const asked = { session: 'one', client: 'codex' };
    const joined = await Promise.all(Array.from({ length: 5 }, () => bus.joinAgent(asked)));
    expect(joined.map(({ agent }) => agent)).toEqual(Array(5).fill('codex-1'));
    expect(joined.filter(({ is_new }) => is_new)).toHaveLength(1);
  }),

  rule(
    "takes an id of the caller's choice literally, and tells both sessions that share it",
    { uses: ['joinAgent'] },
    async ({ bus, clock }) => {
      const first = { session: 'one', client: 'claude-code', place: 'pocket', agent: 'Ada' };
      expect(await bus.joinAgent(first)).toEqual({ agent: 'Ada', is_new: true });
      const second = await bus.joinAgent({ session: 'two', agent: 'Ada' });
      const shared = { client: 'claude-code', place: 'pocket', joined_at: timestampIn(clock) };
      expect(second).toEqual({ agent: 'Ada', is_new: true, shared_with: [shared] });
      expect((await bus.joinAgent(first)).shared_with).toEqual([{ joined_at: timestampIn(clock) }]);
    },
  ),

  rule(
    'shows ids that look alike, or hide a sign, as they are, and never merges them',
    { uses: ['joinAgent', 'listAgents'] },
    async ({ bus }) => {
      const ids = ['ada', 'ada\u200b', 'аda', 'ADA'];
      for (const [index, agent] of ids.entries()) {
        expect((await bus.joinAgent({ session: `${index}`, agent })).agent).toBe(agent);
      }
      const { agents: listed } = await bus.listAgents({});
      expect(new Set(listed.map(({ agent }) => agent))).toEqual(new Set(ids));
    },
  ),

  rule(
    'never gives an id that somebody took by themselves',
    { uses: ['joinAgent', 'postMessage'] },
    async ({ bus }) => {
      expect((await bus.joinAgent({ session: 'one', agent: 'claude-4' })).agent).toBe('claude-4');
      expect((await bus.joinAgent({ session: 'two', client: 'claude-code' })).agent).toBe('claude-5');
      await bus.postMessage({ topic: 'log', sender: 'claude-8', body: 'never joined' });
      expect((await bus.joinAgent({ session: 'three', client: 'claude-code' })).agent).toBe('claude-9');
    },
  ),

  rule(
    'refuses a session that is another agent already',
    { uses: ['joinAgent'], refusals: ['not_your_session'] },
    async ({ bus }) => {
      await bus.joinAgent({ session: 'one', client: 'claude-code' });
      const refusal = await refusalOf(bus.joinAgent({ session: 'one', agent: 'ada' }));
      expect(refusal.detail).toBe(
        "the session is the agent 'claude-1' already, and not 'ada': leave agent out, or join with a session of your own",
      );
      expect(refusal.data).toEqual({ agent: 'ada', session_agent: 'claude-1' });
    },
  ),

  rule(
    'refuses to let an agent leave by a session that is not its own',
    { uses: ['joinAgent', 'leaveAgent'], refusals: ['not_your_session'] },
    async ({ bus, engine }) => {
      await bus.joinAgent({ session: 'one', client: 'claude-code' });
      await bus.joinAgent({ session: 'two', client: 'claude-code' });
      await engine.claimLane({ lane: 'feeds', owner: 'claude-1' });
      const other = await refusalOf(bus.leaveAgent({ agent: 'claude-1', session: 'two' }));
      expect(other.data).toEqual({ agent: 'claude-1', session_agent: 'claude-2' });
      const unknown = await refusalOf(bus.leaveAgent({ agent: 'claude-1', session: 'three' }));
      expect(unknown.data).toEqual({ agent: 'claude-1', session_agent: null });
      expect((await engine.getLane({ lane: 'feeds' })).state).toBe('held');
    },
  ),

  rule(
    'releases the lanes of an agent and of its sub-ids when its last session leaves',
    { uses: ['joinAgent', 'leaveAgent'] },
    async ({ bus, engine }) => {
      await bus.joinAgent({ session: 'one', client: 'claude-code' });
      for (const [lane, owner] of [
        ['parser', 'claude-1'],
        ['tests', 'claude-1/tests'],
        ['other', 'claude-10'],
        ['last', 'claude-1'],
      ] as const)
        await engine.claimLane({ lane, owner });
      const left = await bus.leaveAgent({ agent: 'claude-1', session: 'one' });
      expect(left).toEqual({ agent: 'claude-1', released: ['last', 'parser', 'tests'] });
      const { lanes } = await engine.listLanes({});
      expect(lanes.map(({ lane }) => lane)).toEqual(['other']);
      expect(await bus.leaveAgent({ agent: 'claude-1', session: 'one' })).toEqual({
        agent: 'claude-1',
        released: [],
      });
    },
  ),

  rule(
    'keeps the lanes of an agent while another of its sessions is there',
    { uses: ['joinAgent', 'leaveAgent'] },
    async ({ bus, engine }) => {
      await bus.joinAgent({ session: 'one', agent: 'ada' });
      await bus.joinAgent({ session: 'two', agent: 'ada' });
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      expect((await bus.leaveAgent({ agent: 'ada', session: 'one' })).released).toEqual([]);
      expect((await bus.leaveAgent({ agent: 'ada', session: 'two' })).released).toEqual(['feeds']);
    },
  ),

  rule(
    'hands a lane that an agent leaves behind to whoever waits for it',
    { uses: ['leaveAgent'] },
    async ({ bus, engine, untilInLine }) => {
      await engine.joinAgent({ session: 'one', agent: 'ada' });
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const waiting = engine.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 });
      await untilInLine('feeds', ['bob']);
      await bus.leaveAgent({ agent: 'ada', session: 'one' });
      expect((await soon('the lane', waiting)).lane.owner).toBe('bob');
    },
  ),

  rule(
    'lets a session come back after it left, as the agent it was',
    { uses: ['joinAgent', 'leaveAgent', 'listAgents'] },
    async ({ bus }) => {
      await bus.joinAgent({ session: 'one', client: 'claude-code' });
      await bus.leaveAgent({ agent: 'claude-1', session: 'one' });
      expect((await bus.listAgents({})).agents[0]?.state).toBe('left');
      expect(await bus.joinAgent({ session: 'one' })).toEqual({ agent: 'claude-1', is_new: false });
      expect((await bus.listAgents({})).agents).toMatchObject([{ agent: 'claude-1', state: 'here' }]);
    },
  ),

  rule(
    'answers the repeat of a leave with what it released',
    { uses: ['leaveAgent', 'idempotencyKey'] },
    async ({ bus, engine }) => {
      await engine.joinAgent({ session: 'one', agent: 'ada' });
      await engine.claimLane({ lane: 'feeds', owner: 'ada' });
      const asked = { agent: 'ada', session: 'one' };
      const first = await bus.leaveAgent(asked, { idempotencyKey: 'bye' });
      expect(first.released).toEqual(['feeds']);
      expect(await bus.leaveAgent(asked, { idempotencyKey: 'bye' })).toEqual(first);
    },
  ),

  rule(
    'refuses a session, a client and an id that are too long, and keeps nothing',
    { uses: ['joinAgent'], refusals: ['invalid_input'] },
    async ({ bus, engine }) => {
      const long = 'x'.repeat(limits.sessionKeyCharactersMax);
      await refusalOf(bus.joinAgent({ session: `${long}x` }));
      await refusalOf(bus.joinAgent({ session: 'one', agent: `${long}x` }));
      await refusalOf(
        bus.joinAgent({ session: 'one', client: 'x'.repeat(limits.clientNameCharactersMax + 1) }),
      );
      await refusalOf(bus.joinAgent({ session: '' }));
      expect((await engine.listAgents({})).agents).toEqual([]);
      expect((await bus.joinAgent({ session: long, agent: long })).agent).toBe(long);
    },
  ),

  rule(
    'tells who joins and who leaves',
    { uses: ['readEvents', 'joinAgent', 'leaveAgent'] },
    async ({ bus }) => {
      await bus.joinAgent({ session: 'one', client: 'claude-code', place: 'pocket' });
      await bus.joinAgent({ session: 'one', client: 'claude-code' });
      await bus.leaveAgent({ agent: 'claude-1', session: 'one' });
      const { events } = await bus.readEvents({});
      expect(events).toMatchObject([
        { kind: 'agent_joined', agent: 'claude-1', client: 'claude-code', place: 'pocket' },
        { kind: 'agent_left', agent: 'claude-1' },
      ]);
      expect(events).toHaveLength(2);
    },
  ),
];
