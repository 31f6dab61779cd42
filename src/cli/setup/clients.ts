import { posix, win32 } from 'node:path';
import { folderVariables, type Machine, toHomeFolder } from '../folders.ts';
import { settingEntries } from '../settings.ts';

export const clientNames = [
  'claude-code',
  'claude-desktop',
  'cursor',
  'vscode',
  'codex',
  'gemini',
  'opencode',
] as const;
export type ClientName = (typeof clientNames)[number];

/** Other names that people use for a client. */
const otherNames: Readonly<Record<string, ClientName>> = {
  claude: 'claude-code',
  code: 'vscode',
  'vs-code': 'vscode',
  copilot: 'vscode',
  'codex-cli': 'codex',
  'gemini-cli': 'gemini',
  'open-code': 'opencode',
};

/** The client that was typed. Undefined for one that is not known. */
export function findClient(typed: string): ClientName | undefined {
  const name = typed.toLowerCase();
  return (
    clientNames.find((one) => one === name) ??
    (Object.hasOwn(otherNames, name) ? otherNames[name] : undefined)
  );
}

/** The extensions of JSON that the client can read. Anything more would break its file. */
export type JsonDialect = Readonly<{ comments: boolean; trailingCommas: boolean }>;

/** A program that starts MCP servers, and the file that lists them. */
export type Client = Readonly<{
  title: string;
  format: Readonly<{ kind: 'json'; dialect: JsonDialect } | { kind: 'toml' }>;
  /** The key under which the file keeps its servers, each by its name. */
  serversKey: string;
  toUserFile(machine: Machine): string;
  /** Relative to the project's folder. Absent when the client has no such file. */
  projectFile?: readonly string[];
  /** What a new entry contains besides how to start the server. */
  extras?: Readonly<Record<string, unknown>>;
  /** Written before `command`, for clients that want the kind of server named. */
  type?: string;
  /** Whether the command and its arguments are one list. */
  isCommandList?: boolean;
  /** The key for a server's variables, if it is not `env`. */
  variablesKey?: string;
  /** The variables that the entry must name so that the server gets them, for clients that pass on no others. */
  toHandedOn?(environment: NodeJS.ProcessEnv): readonly string[];
  /** Variables that the client passes on only if the entry refers to them as `$NAME`. */
  keptBack?: readonly string[];
  /** Why its servers do not see what is set in a shell, PATH included. Absent when they do. */
  whyUnseen?: string;
  /** What the user does next, and what else may get in the way. */
  next: readonly string[];
  secretAdvice: string;
}>;

const strict: JsonDialect = { comments: false, trailingCommas: false };
const inherited = 'the server inherits it from the environment of the client';

/** Variables set here that affect which bus is found or started, and how. */
function toSetVariables(environment: NodeJS.ProcessEnv): readonly string[] {
  const product = settingEntries.filter(([, { readBy }]) => !readBy.includes('tests'));
  const isPostgres = environment.BUS_STORE?.startsWith('postgres') ?? false;
  const names = [
    ...product.map(([, { environment: name }]) => name),
    ...folderVariables,
    ...(isPostgres ? ['PGPASSWORD'] : []),
  ];
  return names.filter((name) => environment[name]);
}

export const clients: Readonly<Record<ClientName, Client>> = {
  'claude-code': {
    title: 'Claude Code',
    format: { kind: 'json', dialect: strict },
    serversKey: 'mcpServers',
    toUserFile: (machine) =>
      toPath(machine, [machine.environment.CLAUDE_CONFIG_DIR || toHomeFolder(machine), '.claude.json']),
    projectFile: ['.mcp.json'],
    type: 'stdio',
    next: ["restart Claude Code, then see 'bus' under /mcp (a project file has to be approved once)"],
    secretAdvice: inherited,
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    format: { kind: 'json', dialect: strict },
    serversKey: 'mcpServers',
    toUserFile: (machine) => toPath(machine, [toAppFolder(machine), 'Claude', 'claude_desktop_config.json']),
    whyUnseen: 'Claude Desktop hands on no variables',
    next: ['quit Claude Desktop, not only its window, and start it again'],
    secretAdvice: "add it by hand to the entry's env, because Claude Desktop hands on no variables",
  },
  cursor: {
    title: 'Cursor',
    format: { kind: 'json', dialect: { comments: true, trailingCommas: true } },
    serversKey: 'mcpServers',
    toUserFile: (machine) => toPath(machine, [toHomeFolder(machine), '.cursor', 'mcp.json']),
    projectFile: ['.cursor', 'mcp.json'],
    whyUnseen: 'Cursor sees it only when it is started from this shell',
    next: ["restart Cursor, then see that 'bus' is switched on among its MCP servers"],
    secretAdvice: inherited,
  },
  vscode: {
    title: 'VS Code',
    format: { kind: 'json', dialect: { comments: true, trailingCommas: true } },
    serversKey: 'servers',
    toUserFile: (machine) => toPath(machine, [toAppFolder(machine), 'Code', 'User', 'mcp.json']),
    projectFile: ['.vscode', 'mcp.json'],
    type: 'stdio',
    whyUnseen: 'VS Code sees it only when it is started from this shell',
    next: [
      "run 'MCP: List Servers' in VS Code and start 'bus'; it asks once whether you trust the server",
      'its agent asks before each tool, until you allow the tool for the session or the workspace',
    ],
    secretAdvice: inherited,
  },
  codex: {
    title: 'Codex',
    format: { kind: 'toml' },
    serversKey: 'mcp_servers',
    toUserFile: (machine) =>
      toPath(machine, [
        machine.environment.CODEX_HOME || toPath(machine, [toHomeFolder(machine), '.codex']),
        'config.toml',
      ]),
    projectFile: ['.codex', 'config.toml'],
    // Codex passes on only the named variables, and gives up on a call sooner than the bus lets it wait.
    toHandedOn: toSetVariables,
    extras: { startup_timeout_sec: 30, tool_timeout_sec: 330 },
    next: [
      "restart Codex, then see 'bus' under /mcp (a project file counts in trusted projects only)",
      'run this again after you set another variable: Codex hands on only those that the entry names',
      'hooks, if you add them, run only after you trusted them under /hooks; codex exec skips others silently',
    ],
    secretAdvice: 'the entry names it in env_vars, so Codex hands it on',
  },
  gemini: {
    title: 'Gemini CLI',
    format: { kind: 'json', dialect: { comments: true, trailingCommas: false } },
    serversKey: 'mcpServers',
    toUserFile: (machine) =>
      toPath(machine, [
        machine.environment.GEMINI_CLI_HOME || toHomeFolder(machine),
        '.gemini',
        'settings.json',
      ]),
    projectFile: ['.gemini', 'settings.json'],
    keptBack: ['BUS_WRITE_SECRET', 'BUS_WRITE_SECRET_FILE'],
    next: [
      "restart Gemini CLI, then see 'bus' under /mcp",
      'trust the folder when it asks, or with /permissions: in other folders it starts no servers',
    ],
    secretAdvice:
      'the entry refers to it by name, because Gemini CLI keeps variables with SECRET in their name back',
  },
  opencode: {
    title: 'OpenCode',
    format: { kind: 'json', dialect: { comments: true, trailingCommas: true } },
    serversKey: 'mcp',
    toUserFile: (machine) => toPath(machine, [toConfigFolder(machine), 'opencode', 'opencode.json']),
    projectFile: ['opencode.json'],
    type: 'local',
    isCommandList: true,
    variablesKey: 'environment',
    // OpenCode gives up on a call sooner than the bus lets it wait.
    extras: { enabled: true, timeout: 330_000 },
    next: ["restart OpenCode, then see 'bus' with: opencode mcp list"],
    secretAdvice: inherited,
  },
};

/** Joins paths the way the target machine does. In tests that is not the machine that runs them. */
export function toPath({ platform }: Pick<Machine, 'platform'>, parts: readonly string[]): string {
  return platform === 'win32' ? win32.join(...parts) : posix.join(...parts);
}

/** Where desktop programs keep their settings. */
function toAppFolder(machine: Machine): string {
  const { environment, platform } = machine;
  const home = toHomeFolder(machine);
  if (platform === 'win32') return environment.APPDATA || win32.join(home, 'AppData', 'Roaming');
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support');
  return toConfigFolder(machine);
}

/** Where programs of the command line keep theirs, on every system. */
function toConfigFolder(machine: Machine): string {
  const given = machine.environment.XDG_CONFIG_HOME;
  return given?.startsWith('/') ? given : toPath(machine, [toHomeFolder(machine), '.config']);
}
