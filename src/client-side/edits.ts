import { isAbsolute, join } from 'node:path';
import { isObject } from '../contract/json.ts';
import { findPatched } from './shell/patch.ts';
import { findWritten, type Surroundings } from './shell/writes.ts';

/** A call of a tool that a client is about to make, as its hook tells of it. */
export type ToolCall = Readonly<{
  /** Absent where a client leaves it out; the input then says what kind of call it is. */
  tool?: string | undefined;
  input: Readonly<Record<string, unknown>>;
}>;

/** What a call would change, as absolute paths or patterns; empty where it is no edit or nobody can know. */
export function findEdited({ tool, input }: ToolCall, surroundings: Surroundings): readonly string[] {
  const name = tool?.replace(/^functions\./, '').toLowerCase();
  const patch = findPatch(input);
  if (patch !== undefined && (name === undefined || editingTools.has(name) || shellTools.has(name)))
    return toAbsolute(findPatched(patch), surroundings);
  const command = findCommand(input);
  if (command !== undefined && (name === undefined || shellTools.has(name)))
    return findWritten(command, surroundings);
  if (name !== undefined && !editingTools.has(name)) return [];
  return toAbsolute(findPaths(input), surroundings);
}

/** The tools of all clients that change files, in lower case: clients that ignore matchers ask about every tool. */
const editingTools = new Set([
  // Claude Code, and OpenCode in lower case
  'write',
  'edit',
  'multiedit',
  'notebookedit',
  // Gemini CLI
  'write_file',
  'replace',
  // Cursor
  'delete',
  // VS Code
  'create_file',
  'delete_file',
  'replace_string_in_file',
  'multi_replace_string_in_file',
  'insert_edit_into_file',
  'edit_notebook_file',
  // Copilot CLI
  'create',
  // Codex, VS Code and OpenCode; its input is a patch
  'apply_patch',
  // Windsurf and Cline
  'pre_write_code',
  'write_to_file',
  'replace_in_file',
]);

const shellTools = new Set([
  'bash',
  'shell',
  'exec_command',
  'run_shell_command',
  'run_in_terminal',
  'execute_command',
  'pre_run_command',
]);

const pathFields = ['file_path', 'notebook_path', 'filePath', 'path'] as const;

function findPaths(input: ToolCall['input']): string[] {
  const nested = ['files', 'replacements', 'edits'].flatMap((field) => {
    const list: unknown = input[field];
    return Array.isArray(list) ? list : [];
  });
  const named = [input, ...nested].flatMap((one: unknown) => {
    if (typeof one === 'string') return [one];
    return isObject(one) ? pathFields.map((field) => one[field]) : [];
  });
  return [...new Set(named.filter((path): path is string => typeof path === 'string' && path !== ''))];
}

/** The text of a patch, which clients send as `command`, `input` or `patch`, at times inside a list of words. */
function findPatch(input: ToolCall['input']): string | undefined {
  const texts = ['command', 'input', 'patch', 'patchText'].flatMap((field) => input[field] ?? []);
  return texts.find(
    (text): text is string => typeof text === 'string' && /^\uFEFF?\s*\*\*\* Begin Patch/.test(text),
  );
}

function findCommand(input: ToolCall['input']): string | undefined {
  const command = input.command ?? input.cmd ?? input.command_line;
  if (typeof command === 'string') return command;
  // ["bash", "-lc", "…"] is what a shell is told to run.
  if (!Array.isArray(command) || !command.every((word) => typeof word === 'string')) return undefined;
  return command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

function toAbsolute(paths: readonly string[], { folder }: Surroundings): string[] {
  return paths.map((path) =>
    isAbsolute(path) || /^~(\/|$)|^[A-Za-z]:[\\/]/.test(path) ? path : join(folder, path),
  );
}
