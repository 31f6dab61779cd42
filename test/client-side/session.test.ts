import { describe, expect, test } from 'vitest';
import { findShellSession } from '../../src/client-side/innermost.ts';
import { toCallSession, toHookSession, toOwnId } from '../../src/client-side/session.ts';

const ownKey = 'made-at-start';

function sessionOf(clientName: string | undefined, meta: object, environment: Record<string, string> = {}) {
  return toCallSession({ origin: { clientName, meta: { ...meta } }, environment, ownKey }).session;
}

describe('the session of a call', () => {
  const claude = { CLAUDE_CODE_SESSION_ID: 'c1' };

  test.each([
    ['codex-mcp-client', { threadId: 't1' }, 'codex:t1'],
    ['opencode', { sessionID: 's1' }, 'opencode:s1'],
    ['Visual Studio Code', { 'vscode.conversationId': 'v1' }, 'vscode:v1'],
    ['claude-code', {}, 'claude:c1'],
    ['gemini-cli-mcp-client', {}, 'gemini:made-at-start'],
    ['Zed Editor!', {}, 'zed-editor:made-at-start'],
    [undefined, {}, 'agent:made-at-start'],
  ])('of %s with %j is %s', (clientName, meta, session) => {
    expect(sessionOf(clientName, meta, claude)).toBe(session);
  });

  test('is what the call says, whatever the environment says', () => {
    const environment = { CODEX_THREAD_ID: 'outer' };
    expect(sessionOf('codex-mcp-client', { threadId: 'inner' }, environment)).toBe('codex:inner');
    expect(sessionOf('codex-mcp-client', {}, environment)).toBe('codex:outer');
  });

  test('is never one of the client from whose shell this one was started', () => {
    expect(sessionOf('codex-mcp-client', {}, claude)).toBe('codex:made-at-start');
    expect(sessionOf('claude-code', {}, { ...claude, CODEX_THREAD_ID: 'outer' })).toBe('claude:c1');
  });

  test('is not named by what cannot be an id', () => {
    for (const threadId of ['', 'a b', 'x'.repeat(300), 7, null, { a: 1 }])
      expect(sessionOf('codex-mcp-client', { threadId })).toBe('codex:made-at-start');
  });

  test('is the one that the hook of its client was told of', () => {
    expect(toHookSession('claude-code', 'c1').session).toBe(sessionOf('claude-code', {}, claude));
    expect(toHookSession('codex', 't1').session).toBe(sessionOf('codex-mcp-client', { threadId: 't1' }));
  });
});

describe('the session of a shell', () => {
  const outerOnly = { CLAUDE_CODE_SESSION_ID: 'c1' };
  const both = { ...outerOnly, CODEX_THREAD_ID: 't1' };

  /** The environments of the parents, the nearest first. */
  function find(environment: Record<string, string>, parents: readonly Record<string, string>[]) {
    const ancestorOf = (processId: number) => {
      const found = parents[processId];
      return found && { parentId: processId + 1, environment: found };
    };
    return findShellSession(environment, { parentId: 0, ancestorOf })?.session;
  }

  test('is the one that its environment names', () => {
    expect(find(outerOnly, [])).toBe('claude:c1');
    expect(find({ CODEX_SESSION_ID: 't1' }, [])).toBe('codex:t1');
    expect(find({}, [])).toBeUndefined();
  });

  test('is that of the inner client where Codex was started from a shell of Claude Code', () => {
    expect(find(both, [both, outerOnly, outerOnly, {}])).toBe('codex:t1');
  });

  test('is that of the inner client where Claude Code was started from a shell of Codex', () => {
    const codexOnly = { CODEX_THREAD_ID: 't1' };
    expect(find(both, [codexOnly, codexOnly, {}])).toBe('claude:c1');
  });

  test('is not guessed where nobody can tell which client is the inner one', () => {
    expect(find(both, [])).toBeUndefined();
    expect(find(both, [both, both])).toBeUndefined();
    expect(find(both, [both, {}])).toBeUndefined();
  });
});

test('a session has the same short id of its own wherever it is made', () => {
  const one = toOwnId({ client: 'claude', session: 'claude:c1' });
  expect(one).toMatch(/^claude-[a-z0-9]{6}$/);
  expect(toOwnId({ client: 'claude', session: 'claude:c1' })).toBe(one);
  expect(toOwnId({ client: 'claude', session: 'claude:c2' })).not.toBe(one);
});
