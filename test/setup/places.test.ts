import { describe, expect, it } from 'vitest';
import { type ClientName, clients } from '../../src/cli/setup/clients.ts';
import { toLaunch } from '../../src/cli/setup/launch.ts';

const systems = {
  linux: { HOME: '/home/ada' },
  darwin: { HOME: '/Users/ada' },
  win32: { USERPROFILE: 'C:\\Users\\ada', APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' },
} as const;

const mac = '/Users/ada/Library/Application Support';
const windows = 'C:\\Users\\ada';
const places: readonly [ClientName, keyof typeof systems, string][] = [
  ['claude-code', 'linux', '/home/ada/.claude.json'],
  ['claude-code', 'win32', `${windows}\\.claude.json`],
  ['claude-desktop', 'linux', '/home/ada/.config/Claude/claude_desktop_config.json'],
  ['claude-desktop', 'darwin', `${mac}/Claude/claude_desktop_config.json`],
  ['claude-desktop', 'win32', `${windows}\\AppData\\Roaming\\Claude\\claude_desktop_config.json`],
  ['cursor', 'darwin', '/Users/ada/.cursor/mcp.json'],
  ['cursor', 'win32', `${windows}\\.cursor\\mcp.json`],
  ['vscode', 'linux', '/home/ada/.config/Code/User/mcp.json'],
  ['vscode', 'darwin', `${mac}/Code/User/mcp.json`],
  ['vscode', 'win32', `${windows}\\AppData\\Roaming\\Code\\User\\mcp.json`],
  ['codex', 'linux', '/home/ada/.codex/config.toml'],
  ['codex', 'win32', `${windows}\\.codex\\config.toml`],
  ['gemini', 'darwin', '/Users/ada/.gemini/settings.json'],
  ['gemini', 'win32', `${windows}\\.gemini\\settings.json`],
  ['opencode', 'darwin', '/Users/ada/.config/opencode/opencode.json'],
  ['opencode', 'win32', `${windows}\\.config\\opencode\\opencode.json`],
];

describe('the file of a client', () => {
  it.each(places)('of %s on %s is %s', (client, platform, path) => {
    expect(clients[client].toUserFile(toMachine(platform, systems[platform]))).toBe(path);
  });

  it.each([
    ['claude-code', { CLAUDE_CONFIG_DIR: '/x/claude' }, '/x/claude/.claude.json'],
    ['codex', { CODEX_HOME: '/x/codex' }, '/x/codex/config.toml'],
    ['gemini', { GEMINI_CLI_HOME: '/x/gemini' }, '/x/gemini/.gemini/settings.json'],
    ['vscode', { XDG_CONFIG_HOME: '/x/config' }, '/x/config/Code/User/mcp.json'],
    ['vscode', { XDG_CONFIG_HOME: 'relative' }, '/home/ada/.config/Code/User/mcp.json'],
  ] as const)('of %s moves with %j', (client, environment, path) => {
    expect(clients[client].toUserFile(toMachine('linux', { ...systems.linux, ...environment }))).toBe(path);
  });
});

describe('how a client starts the server', () => {
  const usual = {
    isShared: false,
    machine: { platform: 'linux' },
    nodeFile: '/usr/bin/node',
    programFile: '/usr/lib/node_modules/bus-mcp/dist/bin.js',
  } as const;

  it('is by absolute paths where the program is installed', () => {
    expect(toLaunch(usual)).toEqual({ command: '/usr/bin/node', args: [usual.programFile] });
  });

  it.each([
    '/home/ada/.npm/_npx/1f2e/node_modules/bus-mcp/dist/bin.js',
    'C:\\Users\\ada\\AppData\\Local\\npm-cache\\_npx\\1f\\node_modules\\bus-mcp\\dist\\bin.js',
    '/home/ada/.cache/pnpm/dlx/ab12/node_modules/bus-mcp/dist/bin.js',
    '/tmp/bunx-0-bus-mcp@latest/node_modules/bus-mcp/dist/bin.js',
  ])('is through npx where the program was fetched for one run: %s', (programFile) => {
    expect(toLaunch({ ...usual, programFile })).toEqual({ command: 'npx', args: ['-y', 'bus-mcp'] });
  });

  it('is through npx in a file that people share, on Windows too, once the registry has the package', () => {
    const shared = { ...usual, isShared: true, machine: { platform: 'win32' } } as const;
    expect(toLaunch({ ...shared, isPublished: true })).toEqual({ command: 'npx', args: ['-y', 'bus-mcp'] });
    expect(toLaunch({ ...shared, isPublished: false }).args).toEqual([usual.programFile]);
  });

  it('is through a shell on Windows, where npx is a script', () => {
    const launch = toLaunch({ ...usual, programFile: 'C:\\_npx\\1\\bin.js', machine: { platform: 'win32' } });
    expect(launch).toEqual({ command: 'cmd', args: ['/c', 'npx', '-y', 'bus-mcp'] });
  });

  it('outlives an upgrade of Node by Homebrew', () => {
    const { command } = toLaunch({ ...usual, nodeFile: '/opt/homebrew/Cellar/node@24/24.1.0/bin/node' });
    expect(command).toBe('/opt/homebrew/opt/node@24/bin/node');
  });

  it('is as it was typed, with quotes around what belongs together', () => {
    const typed = `  node "/my folder/bin.js"  --a='b c' ""`;
    expect(toLaunch({ ...usual, typed })).toEqual({
      command: 'node',
      args: ['/my folder/bin.js', '--a=b c', ''],
    });
  });

  it.each(['', '  ', 'node "x'])('is refused when it cannot be read: %j', (typed) => {
    expect(() => toLaunch({ ...usual, typed })).toThrow('--command');
  });
});

function toMachine(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv) {
  return { platform, hostName: 'host', processName: '1', environment };
}
