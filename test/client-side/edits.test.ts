import { describe, expect, test } from 'vitest';
import { findEdited } from '../../src/client-side/edits.ts';
import { hosts, parseHookCall } from '../../src/client-side/hosts.ts';

const surroundings = { folder: '/p', isFolder: () => false, readPatch: () => undefined };
const patch = '*** Begin Patch\n*** Update File: src/a.ts\n*** Move to: src/b.ts\n*** End Patch\n';

function edited(payload: object | string): readonly string[] {
  const call = parseHookCall(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return call ? findEdited(call, surroundings) : ['not understood'];
}

describe('the payload of each client says which files are edited', () => {
  test.each<readonly [client: string, payload: object | string, ...paths: string[]]>([
    ['Claude Code, Write', { tool_name: 'Write', tool_input: { file_path: '/p/a', content: 'x' } }, '/p/a'],
    ['Claude Code, Edit', { tool_name: 'Edit', tool_input: { file_path: '/p/a', old_string: 'x' } }, '/p/a'],
    [
      'Claude Code, NotebookEdit',
      { tool_name: 'NotebookEdit', tool_input: { notebook_path: '/p/a.ipynb' } },
      '/p/a.ipynb',
    ],
    ['Claude Code, Bash', { tool_name: 'Bash', tool_input: { command: 'echo x >> a' } }, '/p/a'],
    [
      'Claude Code, through mcp_tool, its input as text',
      { tool_name: 'Write', tool_input: '{"file_path":"/p/a"}' },
      '/p/a',
    ],
    [
      'Codex, apply_patch',
      { tool_name: 'apply_patch', tool_input: { command: patch } },
      '/p/src/a.ts',
      '/p/src/b.ts',
    ],
    ['Codex, Bash', { tool_name: 'Bash', tool_input: { command: 'tee a' } }, '/p/a'],
    [
      'Codex, a list of words',
      { tool_name: 'shell', tool_input: { command: ['bash', '-lc', "rm 'a b'"] } },
      '/p/a b',
    ],
    [
      'Codex, a patch as the input itself',
      { tool_name: 'apply_patch', tool_input: patch },
      '/p/src/a.ts',
      '/p/src/b.ts',
    ],
    ['Gemini CLI, write_file', { tool_name: 'write_file', tool_input: { file_path: 'src/a' } }, '/p/src/a'],
    ['Gemini CLI, replace', { tool_name: 'replace', tool_input: { file_path: '/p/a' } }, '/p/a'],
    ['Gemini CLI, shell', { tool_name: 'run_shell_command', tool_input: { command: 'rm a' } }, '/p/a'],
    [
      'Cursor, with a byte order mark',
      `\uFEFF${JSON.stringify({ tool_name: 'Write', tool_input: { path: '/p/a' }, cwd: '' })}`,
      '/p/a',
    ],
    ['Cursor, without a tool', { tool_input: { file_path: '/p/a' } }, '/p/a'],
    ['Cursor, a command without a tool', { command: 'rm a', cwd: '/p' }, '/p/a'],
    ['Cursor, Delete', { tool_name: 'Delete', tool_input: { path: '/p/a' } }, '/p/a'],
    ['VS Code, one file', { tool_name: 'create_file', tool_input: { filePath: '/p/a' } }, '/p/a'],
    [
      'VS Code, files',
      {
        tool_name: 'multi_replace_string_in_file',
        tool_input: { replacements: [{ filePath: '/p/a' }, { filePath: '/p/b' }] },
      },
      '/p/a',
      '/p/b',
    ],
    [
      'VS Code, a patch',
      { tool_name: 'apply_patch', tool_input: { input: patch } },
      '/p/src/a.ts',
      '/p/src/b.ts',
    ],
    ['VS Code, terminal', { tool_name: 'run_in_terminal', tool_input: { command: 'touch a' } }, '/p/a'],
    ['Copilot CLI', { toolName: 'edit', toolArgs: '{"path":"/p/a"}' }, '/p/a'],
    ['Copilot CLI, bash', { toolName: 'bash', toolArgs: { command: 'touch a' } }, '/p/a'],
    ['OpenCode', { tool_name: 'edit', args: { filePath: '/p/a' } }, '/p/a'],
    ['Windsurf', { agent_action_name: 'pre_write_code', tool_info: { file_path: '/p/a' } }, '/p/a'],
    [
      'Windsurf, a command',
      { agent_action_name: 'pre_run_command', tool_info: { command_line: 'rm a' } },
      '/p/a',
    ],
    ['Cline', { preToolUse: { toolName: 'write_to_file', parameters: { path: 'a' } } }, '/p/a'],
  ])('%s', (_client, payload, ...paths) => {
    expect(edited(payload)).toEqual(paths);
  });

  test.each<readonly [what: string, payload: object | string]>([
    ['a tool that reads', { tool_name: 'Read', tool_input: { file_path: '/p/a' } }],
    [
      'a tool of another server',
      { tool_name: 'mcp__bus__claim_lane', tool_input: { lane: 'x', paths: ['a'] } },
    ],
    ['a search for the text of a patch', { tool_name: 'Grep', tool_input: { input: patch } }],
    ['an edit without a path', { tool_name: 'Write', tool_input: {} }],
    ['a path that is no text', { tool_name: 'Write', tool_input: { file_path: 7, files: [null, 3] } }],
    ['no input', { tool_name: 'Write', tool_input: null }],
    ['arguments that are no JSON', { tool_name: 'Write', tool_input: '{' }],
  ])('%s edits nothing', (_what, payload) => {
    expect(edited(payload)).toEqual([]);
  });

  test.each(['', 'null', '[]', '{', 'text'])('%j is no payload', (text) => {
    expect(parseHookCall(text)).toBeUndefined();
  });
});

test('each client is told no in its own form', () => {
  const answers = Object.entries(hosts).map(([host, { toDenial }]) => [host, toDenial('held')]);
  const claude =
    '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"held"}}';
  expect(Object.fromEntries(answers)).toEqual({
    'claude-code': { stdout: claude, exitCode: 0 },
    codex: { stdout: claude, exitCode: 0 },
    vscode: { stdout: claude, exitCode: 0 },
    gemini: { stdout: '{"decision":"deny","reason":"held"}', exitCode: 0 },
    cursor: { stdout: '{"permission":"deny","user_message":"held","agent_message":"held"}', exitCode: 0 },
    'copilot-cli': { stdout: '{"permissionDecision":"deny","permissionDecisionReason":"held"}', exitCode: 0 },
    opencode: { stdout: 'held', exitCode: 2 },
    windsurf: { stderr: 'held', exitCode: 2 },
    cline: { stdout: '{"cancel":true,"errorMessage":"held"}', exitCode: 0 },
  });
});
