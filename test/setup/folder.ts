import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { runToEnd } from '../cli/command-line.ts';
import { createFolder } from '../folder.ts';

/** Where each client keeps the file of its user on Linux, below the home folder. */
export const userFiles = {
  'claude-code': '.claude.json',
  'claude-desktop': '.config/Claude/claude_desktop_config.json',
  cursor: '.cursor/mcp.json',
  vscode: '.config/Code/User/mcp.json',
  codex: '.codex/config.toml',
  gemini: '.gemini/settings.json',
  opencode: '.config/opencode/opencode.json',
} as const;

export type ClientName = keyof typeof userFiles;

/** A home folder of one test, and the command run in it. */
export function createHome() {
  const home = createFolder();
  const toFile = (path: string) => join(home, path);

  function setupWithGuard(
    client: ClientName,
    flags: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
  ) {
    const start = flags.includes('--command') ? [] : ['--command', 'npx -y bus-mcp'];
    return runToEnd(['setup', client, ...start, ...flags], { environment: { HOME: home, ...environment } });
  }

  return {
    home,
    toFile,
    write(path: string, text: string | Buffer, mode = 0o644) {
      mkdirSync(dirname(toFile(path)), { recursive: true });
      writeFileSync(toFile(path), text);
      chmodSync(toFile(path), mode);
    },
    read: (path: string) => readFileSync(toFile(path), 'utf8'),
    mode: (path: string) => statSync(toFile(path)).mode & 0o777,
    list: (path = '.') => readdirSync(toFile(path)).sort(),
    setupWithGuard,
    /** The guard has tests of its own. */
    setup(client: ClientName, flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
      return setupWithGuard(client, [...flags, '--no-guard'], environment);
    },
  };
}

/** What the file of a client says about one server. */
type Server = Record<string, unknown> | undefined;

export function readServers(text: string): Record<string, Server> {
  const value = text.startsWith('{') ? JSON.parse(text) : parseToml(text);
  return value.mcpServers ?? value.servers ?? value.mcp_servers ?? value.mcp;
}
