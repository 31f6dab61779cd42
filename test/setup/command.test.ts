import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { isPublished } from '../../src/contract/publication.ts';
import { commandFile } from '../build.ts';
import { runToEnd } from '../cli/command-line.ts';
import { createHome, readServers } from './folder.ts';

describe('the command line of setup', () => {
  it('refuses a client it does not know, and names those it does', async () => {
    const { errorOutput, status } = await runToEnd(['setup', 'emacs']);
    expect(status).toBe(2);
    expect(errorOutput).toContain(
      "there is no setup for a client 'emacs': use one of claude-code, claude-desktop, cursor, vscode, codex, gemini, opencode",
    );
  });

  it('refuses --project for a client without project files', async () => {
    const { setup } = createHome();
    const { errorOutput, status } = await setup('claude-desktop', ['--project']);
    expect([status, errorOutput]).toEqual([2, expect.stringContaining('leave out --project')]);
  });

  it('writes the store as it was typed, and neither a relative path nor a URL that may carry a password', async () => {
    const { list, read, setup } = createHome();
    expect((await setup('cursor', ['--store', 'here.db'])).status).toBe(2);
    const { errorOutput, status } = await setup('cursor', ['--store', 'postgres://ada:xyzzy-5@db/bus']);
    expect([status, list()]).toEqual([2, []]);
    expect(errorOutput).toContain('may carry a password');
    expect(errorOutput).not.toContain('xyzzy-5');
    for (const store of ['/srv/bus.db', '~/bus.db']) {
      await setup('cursor', ['--store', store]);
      expect(readServers(read('.cursor/mcp.json')).bus?.env).toEqual({ BUS_STORE: store });
    }
  });

  it('refuses a malformed setting before it is written', async () => {
    const { list, setup } = createHome();
    const { status } = await setup('cursor', ['--keep-alive-max-s', 'long']);
    expect([status, list()]).toEqual([2, []]);
  });

  it.each([
    ['claude-code', '.mcp.json'],
    ['cursor', '.cursor/mcp.json'],
    ['vscode', '.vscode/mcp.json'],
    ['codex', '.codex/config.toml'],
    ['gemini', '.gemini/settings.json'],
    ['opencode', 'opencode.json'],
  ] as const)('as it ships, writes %s --project so that it works', (client, path) => {
    const { home, read } = createHome();
    const output = execFileSync(process.execPath, [commandFile, 'setup', client, '--project'], { cwd: home });
    const { bus } = readServers(read(path));
    const words = [bus?.command, bus?.args ?? []].flat();
    expect(words).toEqual(isPublished ? ['npx', '-y', 'bus-mcp'] : [process.execPath, commandFile]);
    if (!isPublished) expect(String(output)).toContain('the path is one of this machine');
  });

  it.each([
    ['claude', 'Claude Code'],
    ['Claude-Code', 'Claude Code'],
    ['gemini-cli', 'Gemini CLI'],
    ['code', 'VS Code'],
  ])('knows what people call a client: %s', async (typed, title) => {
    const { output, status } = await runToEnd(['setup', typed], { environment: { HOME: createHome().home } });
    expect([status, output]).toEqual([0, expect.stringContaining(`${title}: wrote`)]);
  });

  it('shows the settings that decide about the bus that a client starts', async () => {
    const { output } = await runToEnd(['setup', '--help']);
    expect(output).toContain('--port <number>');
  });

  it('as it ships, starts the server by its own path, so that it works at once', () => {
    const { home, read } = createHome();
    execFileSync(process.execPath, [commandFile, 'setup', 'codex'], { env: { HOME: home } });
    const { bus } = readServers(read('.codex/config.toml'));
    expect([bus?.command, bus?.args]).toEqual([process.execPath, [commandFile]]);
  });
});
