import type { Machine } from '../folders.ts';
import { toHomeFolder } from '../folders.ts';
import { type ClientName, clients, type JsonDialect, toPath } from './clients.ts';
import type { Entry } from './entry.ts';

/** Where a client is told about the guard: an item of a list in one of its files, or a file of our own. */
export type GuardHook = Readonly<{
  toUserFile(machine: Machine): string;
  /** Below the folder of the project. */
  projectFile: readonly string[];
  /** What the client's hooks can see of what an agent does. */
  covers: 'edits' | 'edits and shell';
  /** What the person has to do before it runs. */
  next?: string;
}> &
  (
    | Readonly<{
        kind: 'item';
        dialect: JsonDialect;
        /** The list, from the top of the file. */
        listPath: readonly string[];
        /** What a new file holds besides. */
        fileExtras?: Entry;
        toItem(command: string): Entry;
      }>
    | Readonly<{ kind: 'file'; toText(command: string): string }>
  );

const strict: JsonDialect = { comments: false, trailingCommas: false };
const seconds = 3;

/** Claude Code calls the guard in the session's own MCP server: no process is started for an edit. */
const claudeItem: Entry = {
  matcher: 'Edit|Write|MultiEdit|NotebookEdit|Bash|PowerShell',
  hooks: [
    {
      type: 'mcp_tool',
      server: 'bus',
      tool: 'guard',
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: Claude Code fills these in.
      input: { tool: '${tool_name}', input: '${tool_input}', cwd: '${cwd}' },
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: until here
      timeout: seconds,
    },
  ],
};

export const guardHooks: Readonly<Partial<Record<ClientName, GuardHook>>> = {
  'claude-code': {
    kind: 'item',
    dialect: strict,
    toUserFile: (machine) =>
      toPath(machine, [
        machine.environment.CLAUDE_CONFIG_DIR || toPath(machine, [toHomeFolder(machine), '.claude']),
        'settings.json',
      ]),
    projectFile: ['.claude', 'settings.json'],
    covers: 'edits and shell',
    listPath: ['hooks', 'PreToolUse'],
    toItem: () => claudeItem,
  },
  codex: {
    kind: 'item',
    dialect: strict,
    toUserFile: (machine) =>
      toPath(machine, [
        machine.environment.CODEX_HOME || toPath(machine, [toHomeFolder(machine), '.codex']),
        'hooks.json',
      ]),
    projectFile: ['.codex', 'hooks.json'],
    covers: 'edits and shell',
    next: 'trust the hook under /hooks in Codex: until then it does not run, and codex exec says nothing about that',
    listPath: ['hooks', 'PreToolUse'],
    toItem: (command) => ({
      matcher: 'apply_patch|Edit|Write|Bash',
      hooks: [{ type: 'command', command, timeout: seconds }],
    }),
  },
  gemini: {
    kind: 'item',
    dialect: { comments: true, trailingCommas: false },
    toUserFile: (machine) => clients.gemini.toUserFile(machine),
    projectFile: ['.gemini', 'settings.json'],
    covers: 'edits and shell',
    listPath: ['hooks', 'BeforeTool'],
    toItem: (command) => ({
      matcher: 'write_file|replace|run_shell_command',
      hooks: [{ type: 'command', name: 'bus-mcp guard', command, timeout: seconds * 1000 }],
    }),
  },
  cursor: {
    kind: 'item',
    dialect: strict,
    toUserFile: (machine) => toPath(machine, [toHomeFolder(machine), '.cursor', 'hooks.json']),
    projectFile: ['.cursor', 'hooks.json'],
    covers: 'edits and shell',
    listPath: ['hooks', 'preToolUse'],
    fileExtras: { version: 1 },
    toItem: (command) => ({ matcher: 'Write|Shell|Delete', command, timeout: seconds }),
  },
  vscode: {
    kind: 'file',
    toUserFile: (machine) =>
      toPath(machine, [toHomeFolder(machine), '.copilot', 'hooks', 'bus-mcp-guard.json']),
    projectFile: ['.github', 'hooks', 'bus-mcp-guard.json'],
    covers: 'edits and shell',
    toText: (command) => {
      const hook = { type: 'command', command, bash: command, powershell: command, timeoutSec: seconds };
      return `${JSON.stringify({ version: 1, hooks: { preToolUse: [hook] } }, null, 2)}\n`;
    },
  },
  opencode: {
    kind: 'file',
    toUserFile: (machine) =>
      toPath(machine, [clients.opencode.toUserFile(machine), '..', 'plugins', 'bus-mcp-guard.js']),
    projectFile: ['.opencode', 'plugins', 'bus-mcp-guard.js'],
    covers: 'edits and shell',
    toText: toOpenCodePlugin,
  },
};

/** OpenCode stops a call when its plugin throws; everything else lets it pass. */
function toOpenCodePlugin(command: string): string {
  return `// Written by bus-mcp setup opencode: stops an edit of a file that another session holds.
import { spawn } from 'node:child_process';

const command = ${JSON.stringify(command)};

function ask(payload) {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (part) => (text += part));
    child.on('error', () => resolve(''));
    child.on('close', (status) => resolve(status === 2 ? text.trim() : ''));
    child.stdin.on('error', () => {});
    child.stdin.end(JSON.stringify(payload));
  });
}

export const BusMcpGuard = async ({ directory }) => ({
  'tool.execute.before': async (input, output) => {
    const reason = await ask({
      tool_name: input.tool,
      tool_input: output.args,
      session_id: input.sessionID,
      cwd: directory,
    });
    if (reason !== '') throw new Error(reason);
  },
});
`;
}
