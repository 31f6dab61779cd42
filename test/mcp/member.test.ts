import { describe, expect, test } from 'vitest';
import { toBusError } from '../../src/contract/errors.ts';
import { createMember } from '../../src/mcp/member.ts';
import { tools } from '../../src/mcp/tools.ts';

function create() {
  const member = createMember({ agent: 'claude-3', isKnownToBus: true });
  const fill = (name: string, given: object = {}) => {
    const tool = tools.find((one) => one.name === name);
    if (!tool) throw new Error(name);
    return member.fill(tool, { ...given });
  };
  return { ...member, fill };
}

const held = (owner: string) =>
  toBusError('lane_held', `lane 'docs' held by '${owner}'`, {
    lane: 'docs',
    owner,
    expires_in_s: 60,
    fence: 1,
    waiters: 0,
  });

describe('a call that leaves out who acts', () => {
  test('is filled in with the id of the session, and a read with its reader', () => {
    const { fill } = create();
    expect(fill('claim_lane', { lane: 'docs' })).toEqual({ lane: 'docs', owner: 'claude-3' });
    expect(fill('post_message')).toEqual({ sender: 'claude-3' });
    expect(fill('read_messages')).toEqual({ reader: 'claude-3' });
  });

  test('acts under the id that holds the lane', () => {
    const { fill, learn } = create();
    learn('claimLane', { lane: 'docs', owner: 'a4' });
    expect(fill('claim_lane', { lane: 'docs' })).toMatchObject({ owner: 'a4' });
    expect(fill('post_message', { lane: 'docs', fence: 1 })).toMatchObject({ sender: 'a4' });
    learn('releaseLane', { lane: 'docs', owner: 'a4' });
    expect(fill('claim_lane', { lane: 'docs' })).toMatchObject({ owner: 'claude-3' });
  });

  test('does not claim for the session what a subagent of it holds', () => {
    const { fill, learn } = create();
    learn('claimLane', { lane: 'docs', owner: 'claude-3/tests' });
    expect(fill('claim_lane', { lane: 'docs' })).toMatchObject({ owner: 'claude-3' });
    expect(fill('release_lane', { lane: 'docs' })).toMatchObject({ owner: 'claude-3/tests' });
  });

  test('does not name a reader to a bus that lists no agents, and never replaces what was given', () => {
    const stranger = createMember({ agent: 'me', isKnownToBus: false });
    const tool = tools.find(({ name }) => name === 'read_messages');
    expect(tool && stranger.fill(tool, {})).toEqual({});
    expect(create().fill('claim_lane', { owner: 'ada' })).toEqual({ owner: 'ada' });
  });
});

describe('a refusal', () => {
  test('says so where the session itself holds the lane under another id', () => {
    const { explain } = create();
    expect(explain(held('claude-3'), { lane: 'docs', owner: 'a3' })).toMatchObject({
      code: 'lane_held',
      detail:
        "lane 'docs' is held by you as 'claude-3', and you called as 'a3': leave owner out, or give owner='claude-3'",
    });
  });

  test('names the sender where a post was refused', () => {
    const { explain } = create();
    const refused = toBusError('not_holder', 'not held', {
      lane: 'docs',
      owner: 'claude-3',
      expires_in_s: 9,
    });
    expect(explain(refused, { lane: 'docs', sender: 'a3' })).toMatchObject({
      detail: expect.stringContaining('leave sender out'),
    });
  });

  test('knows the ids of its own choice that hold lanes', () => {
    const { explain, learn } = create();
    learn('claimLane', { lane: 'docs', owner: 'a4' });
    expect(explain(held('a4'), { lane: 'docs', owner: 'claude-3' })).toMatchObject({
      detail: expect.stringContaining("held by you as 'a4'"),
    });
  });

  test('by somebody else, or between subagents, stays as the bus said it', () => {
    const { explain } = create();
    const cases = [
      ['codex-1', 'claude-3'],
      ['claude-3', 'claude-3/tests'],
      ['claude-3/tests', 'claude-3'],
    ] as const;
    for (const [owner, actor] of cases) {
      const refused = held(owner);
      expect(explain(refused, { lane: 'docs', owner: actor })).toBe(refused);
    }
    const other = new Error('gone');
    expect(explain(other, { lane: 'docs', owner: 'a3' })).toBe(other);
  });
});
