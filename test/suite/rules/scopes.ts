import { expect } from 'vitest';
import type { Bus, Input } from '../../../src/contract/contract.ts';
import { refusalOf } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

/** Lanes that cover files: nobody else holds one of them. */
export const scopes: readonly Rule[] = [
  rule(
    'shows the note and the paths of a claim in the lane, and keeps them when it is renewed without',
    { uses: ['claimLane'] },
    async ({ bus, engine }) => {
      const work = { note: 'rewriting the parser', paths: ['src/parser/**', 'test/parser.test.js'] };
      const claimed = await bus.claimLane({ lane: 'parser', owner: 'ada', ...work });
      expect(claimed.lane).toMatchObject(work);
      const renewed = await bus.claimLane({ lane: 'parser', owner: 'ada' });
      expect([renewed.decision, renewed.lane.note, renewed.lane.paths]).toEqual([
        'renew',
        work.note,
        work.paths,
      ]);
      expect((await engine.heartbeatLane({ lane: 'parser', owner: 'ada' })).lane).toMatchObject(work);
      expect((await engine.listLanes({})).lanes).toMatchObject([work]);
      expect((await engine.getLane({ lane: 'parser' })).lane).toMatchObject(work);
      expect((await engine.getBusStatus({})).active_lanes).toMatchObject([work]);
      expect((await engine.readEvents({})).events).toMatchObject([{ kind: 'lane_claimed', ...work }]);
    },
  ),

  rule(
    'shows in the status what came of the lanes that were released last',
    { uses: ['getBusStatus', 'wholeStatus'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'done', owner: 'bob', note: 'trying it' });
      await engine.releaseLane({ lane: 'done', owner: 'bob', note: 'tests green' });
      expect((await bus.getBusStatus({})).recent_lanes).toMatchObject([
        { lane: 'done', owner: 'bob', how: 'released', note: 'tests green' },
      ]);
    },
  ),

  rule(
    'refuses paths that another owner holds: each with its lane, owner, note and time, and what to do',
    { uses: ['claimLane'], refusals: ['paths_held'] },
    async ({ bus, engine, kept }) => {
      await hold(engine, 'parser', 'ada', ['src/parser/**', 'README.md'], 'rewriting the parser');
      const before = await kept();
      const paths = ['docs', 'src/parser/lexer.ts', 'readme.md'];
      const refusal = await refusalOf(bus.claimLane({ lane: 'lexer', owner: 'bob', paths }));
      const rest = { lane: 'parser', owner: 'ada', expires_in_s: 300, note: 'rewriting the parser' };
      expect([refusal.code, refusal.data]).toEqual([
        'paths_held',
        {
          conflicts: [
            { path: 'src/parser/lexer.ts', held_path: 'src/parser/**', ...rest },
            { path: 'readme.md', held_path: 'README.md', ...rest },
          ],
          blocked_by: ['parser'],
        },
      ]);
      expect(refusal.message).toContain(
        `'src/parser/lexer.ts' (as 'src/parser/**') is held by 'ada' with lane 'parser' (lease 300s remaining): "rewriting the parser"`,
      );
      expect(refusal.message).toContain('Wait with wait_s, claim other paths, or ask the owner');
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'shows the note to who is refused the lane itself',
    { uses: ['claimLane'], refusals: ['lane_held'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'deploy', owner: 'ada', note: 'rolling back' });
      const refusal = await refusalOf(bus.claimLane({ lane: 'deploy', owner: 'bob' }));
      expect(refusal.message).toContain(`lane 'deploy' held by 'ada' (lease 300s remaining): "rolling back"`);
      expect(refusal.data).toMatchObject({ note: 'rolling back' });
    },
  ),

  rule(
    'grants all of the lane and its paths, or nothing',
    { uses: ['claimLane'], refusals: ['paths_held'] },
    async ({ bus, engine }) => {
      await hold(engine, 'one', 'ada', ['a']);
      await refusalOf(bus.claimLane({ lane: 'two', owner: 'bob', paths: ['b', 'a/x'] }));
      expect((await engine.getLane({ lane: 'two' })).state).toBe('free');
      expect(await bus.claimLane({ lane: 'two', owner: 'bob', paths: ['b'] })).toMatchObject({
        decision: 'claim',
      });
    },
  ),

  rule('never lets an owner conflict with itself', { uses: ['claimLane'] }, async ({ bus, engine }) => {
    await hold(engine, 'one', 'ada', ['src/**']);
    expect(await bus.claimLane({ lane: 'two', owner: 'ada', paths: ['src/a'] })).toMatchObject({
      decision: 'claim',
    });
  }),

  rule(
    'replaces the paths of a holder that renews with others, or changes nothing; an empty list drops them',
    { uses: ['claimLane'], refusals: ['paths_held'] },
    async ({ bus, engine }) => {
      await hold(engine, 'one', 'ada', ['a', 'b']);
      await hold(engine, 'other', 'bob', ['c']);
      await refusalOf(bus.claimLane({ lane: 'one', owner: 'ada', paths: ['a', 'c'] }));
      expect((await engine.getLane({ lane: 'one' })).lane.paths).toEqual(['a', 'b']);
      await bus.claimLane({ lane: 'one', owner: 'ada', paths: ['a', 'd'], note: 'the other half' });
      await hold(engine, 'third', 'cy', ['b']);
      const dropped = await bus.claimLane({ lane: 'one', owner: 'ada', paths: [] });
      expect([dropped.decision, dropped.lane.paths, dropped.lane.note]).toEqual([
        'renew',
        undefined,
        'the other half',
      ]);
      const { events } = await engine.readEvents({});
      expect(events.map(({ kind, lane, paths }) => [kind, lane, paths])).toEqual([
        ['lane_claimed', 'one', ['a', 'b']],
        ['lane_claimed', 'other', ['c']],
        ['lane_changed', 'one', ['a', 'd']],
        ['lane_claimed', 'third', ['b']],
        ['lane_changed', 'one', undefined],
      ]);
    },
  ),

  rule(
    'holds nothing once a lease has run out, and passes no scope on to who steals the lane',
    { uses: ['claimLane'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'one', owner: 'ada', lease_s: 10, paths: ['a'], note: 'half way' });
      clock.advance(10);
      expect(await bus.claimLane({ lane: 'two', owner: 'bob', paths: ['a'] })).toMatchObject({
        decision: 'claim',
      });
      const stolen = await bus.claimLane({ lane: 'one', owner: 'cy' });
      expect([stolen.decision, stolen.lane.paths, stolen.lane.note]).toEqual(['steal', undefined, undefined]);
      expect(stolen.previous).toMatchObject({ owner: 'ada', how: 'expired', note: 'half way' });
    },
  ),

  rule(
    'goes on holding the paths of all lanes after a pause in which nobody could renew',
    { uses: ['claimLane'], refusals: ['paths_held'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'one', owner: 'ada', lease_s: 30, paths: ['a'] });
      clock.stopFor(3_600);
      const refusal = await refusalOf(bus.claimLane({ lane: 'two', owner: 'bob', paths: ['a'] }));
      expect(refusal.code).toBe('paths_held');
      clock.advance(30);
      await bus.claimLane({ lane: 'two', owner: 'bob', paths: ['a'] });
    },
  ),

  rule(
    'tells the next holder what came of the lane, and lists the lanes that were released last',
    { uses: ['claimLane', 'releaseLane'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'one', owner: 'ada', note: 'splitting it' });
      clock.advance(5);
      await bus.releaseLane({ lane: 'one', owner: 'ada', note: 'split into three, tests green' });
      const ended = { owner: 'ada', how: 'released', note: 'split into three, tests green' };
      await engine.claimLane({ lane: 'two', owner: 'bob' });
      clock.advance(5);
      await bus.releaseLane({ lane: 'two', owner: 'bob' });
      const { recent_lanes: recent } = await engine.getBusStatus({});
      expect(recent).toMatchObject([
        { lane: 'two', owner: 'bob' },
        { lane: 'one', ...ended },
      ]);
      expect(recent[0]).not.toHaveProperty('note');
      const claimed = await bus.claimLane({ lane: 'one', owner: 'cy' });
      expect(claimed.previous).toMatchObject(ended);
      expect((await bus.claimLane({ lane: 'one', owner: 'cy' })).previous).toBeUndefined();
      expect((await engine.getBusStatus({})).recent_lanes).toMatchObject([{ lane: 'two' }]);
    },
  ),

  rule(
    'refuses what is no path, and names each',
    // Doors that qualify paths make some of these one before the bus sees them.
    { uses: ['claimLane', 'strictInput', 'typedValues'], refusals: ['invalid_input'] },
    async ({ bus, engine }) => {
      const bad = ['!a', 'a?', 'a/../b', './a', 'a/./b', 'a\\b', '/a', 'a/', 'a//b', 'x'.repeat(257)];
      for (const path of bad) {
        const refusal = await refusalOf(bus.claimLane({ lane: 'one', owner: 'ada', paths: ['fine', path] }));
        expect([path, refusal.code]).toEqual([path, 'invalid_input']);
        expect((refusal.data as { issues: { field: string }[] }).issues[0]?.field).toBe('paths.1');
      }
      const many = Array.from({ length: 65 }, (_, index) => `p${index}`);
      expect((await refusalOf(bus.claimLane({ lane: 'one', owner: 'ada', paths: many }))).code).toBe(
        'invalid_input',
      );
      expect((await engine.getLane({ lane: 'one' })).state).toBe('free');
      const odd = ['app/[slug]/page.tsx', '(group)', '{a}', '@x', 'a b', 'caf\u00e9'];
      expect((await bus.claimLane({ lane: 'one', owner: 'ada', paths: odd })).lane.paths).toEqual(odd);
    },
  ),

  rule(
    'says which paths others hold live, and nothing of the owner who asks',
    { uses: ['checkPaths'] },
    async ({ bus, engine, clock }) => {
      await engine.claimLane({ lane: 'old', owner: 'cy', paths: ['src'], lease_s: 1 });
      clock.advance(1);
      await hold(engine, 'parser', 'ada', ['src/parser/**'], 'rewriting it');
      const paths = ['src/parser/a.ts', 'src', 'docs'];
      const rest = { lane: 'parser', owner: 'ada', held_path: 'src/parser/**', expires_in_s: 300, fence: 1 };
      const held = [
        { path: 'src/parser/a.ts', ...rest, note: 'rewriting it' },
        { path: 'src', ...rest, note: 'rewriting it' },
      ];
      expect(await bus.checkPaths({ paths })).toEqual({ held });
      expect(await bus.checkPaths({ paths, owner: 'bob' })).toEqual({ held });
      expect(await bus.checkPaths({ paths, owner: 'ada' })).toEqual({ held: [] });
    },
  ),

  rule(
    'lists the lanes that cover a path, page by page',
    { uses: ['listLanes'] },
    async ({ bus, engine }) => {
      await hold(engine, 'a', 'ada', ['src/**']);
      await hold(engine, 'b', 'ada', ['src/parser']);
      await hold(engine, 'c', 'bob', ['docs/**']);
      await engine.claimLane({ lane: 'd', owner: 'ada' });
      const path = 'src/parser/lexer.ts';
      const names = async (more: object) => {
        const { lanes, has_more } = await bus.listLanes({ path, ...more });
        return [lanes.map(({ lane }) => lane), has_more];
      };
      expect(await names({})).toEqual([['a', 'b'], false]);
      expect(await names({ limit: 1 })).toEqual([['a'], true]);
      expect(await names({ after: 'a' })).toEqual([['b'], false]);
      expect(await names({ owner: 'bob' })).toEqual([[], false]);
      expect(await names({ path: 'src' })).toEqual([['a'], false]);
    },
  ),

  rule(
    'keeps scopes, notes and how lanes ended through a restart',
    { uses: ['claimLane'], refusals: ['paths_held'] },
    async ({ bus, engine, restart }) => {
      await hold(engine, 'one', 'ada', ['a'], 'busy');
      await engine.claimLane({ lane: 'two', owner: 'ada' });
      await engine.releaseLane({ lane: 'two', owner: 'ada', note: 'done' });
      await restart();
      const refusal = await refusalOf(bus.claimLane({ lane: 'three', owner: 'bob', paths: ['a/b'] }));
      expect(refusal.data).toMatchObject({ conflicts: [{ lane: 'one', note: 'busy' }] });
      expect((await bus.claimLane({ lane: 'two', owner: 'bob' })).previous).toMatchObject({ note: 'done' });
    },
  ),
];

export function hold(bus: Bus, lane: string, owner: string, paths: string[], note?: string) {
  const input: Input<'claimLane'> = { lane, owner, paths, ...(note !== undefined && { note }) };
  return bus.claimLane(input);
}
