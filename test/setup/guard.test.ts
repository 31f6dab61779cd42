import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHome } from './folder.ts';

/** The file in which each client is told about its hooks, below the home folder. */
const files = {
  'claude-code': '.claude/settings.json',
  codex: '.codex/hooks.json',
  gemini: '.gemini/settings.json',
  cursor: '.cursor/hooks.json',
  vscode: '.copilot/hooks/bus-mcp-guard.json',
  opencode: '.config/opencode/plugins/bus-mcp-guard.js',
} as const;
const clients = Object.keys(files) as (keyof typeof files)[];

describe.each(clients)('the guard of %s', (client) => {
  const file = files[client];

  it('is installed beside the server, and once only', async () => {
    const { read, setupWithGuard } = createHome();
    const { status, output } = await setupWithGuard(client);
    expect([status, output]).toEqual([0, expect.stringContaining('guard   stops edits and shell')]);
    const before = read(file);
    expect(before).toMatch(client === 'claude-code' ? /"tool": "guard"/ : /hooks\/guard\.mjs/);
    const again = await setupWithGuard(client);
    expect(again.output).toContain('its hook is in');
    expect(read(file)).toBe(before);
  });

  it('leaves no trace of itself when it is removed', async () => {
    const { list, setupWithGuard } = createHome();
    await setupWithGuard(client);
    const { output } = await setupWithGuard(client, ['--remove']);
    expect(output).toContain('took its hook out');
    expect(list(dirname(file))).toEqual([]);
  });

  it('is left out with --no-guard', async () => {
    const { setupWithGuard, toFile } = createHome();
    const { output } = await setupWithGuard(client, ['--no-guard']);
    expect(output).not.toContain('guard');
    const text = existsSync(toFile(file)) ? readFileSync(toFile(file), 'utf8') : '';
    expect(text).not.toContain('guard');
  });

  it('carries the settings that were typed, where it cannot see those of the server', async () => {
    const { read, setupWithGuard } = createHome();
    await setupWithGuard(client, ['--guard', 'warn', '--base-url', 'http://bus.example:8100/api/bus']);
    if (client === 'claude-code') return expect(read('.claude.json')).toContain('"BUS_MCP_GUARD": "warn"');
    expect(read(file)).toContain('BUS_MCP_GUARD=warn');
    expect(read(file)).toContain('BUS_MCP_BASE_URL=http://bus.example:8100/api/bus');
  });
});

const others: Readonly<Record<string, string>> = {
  'claude-code': `{
  "permissions": { "allow": ["Bash(ls)"] },
  "hooks": {
    "PreToolUse": [
      { "matcher": "Bash", "hooks": [{ "type": "command", "command": "./mine.sh" }] }
    ]
  }
}
`,
  codex: `{
\t"hooks": {
\t\t"Stop": [{ "hooks": [{ "type": "command", "command": "say done" }] }]
\t}
}
`,
  cursor: `{ "version": 1, "hooks": { "preToolUse": [{ "command": "./mine.sh" }] } }\n`,
  gemini: `{
  // mine
  "theme": "dark",
  "hooks": { "BeforeTool": [{ "matcher": "x", "hooks": [] }] }
}
`,
};

describe.each(Object.entries(others))('a file of %s that somebody wrote', (client, text) => {
  const name = client as keyof typeof files;

  it('keeps every other hook, and is the same again after --remove', async () => {
    const { read, setupWithGuard, write } = createHome();
    write(files[name], text);
    await setupWithGuard(name);
    const after = read(files[name]);
    expect(after).toMatch(/guard/);
    expect(after).toContain(/mine|say done/.exec(text)?.[0]);
    await setupWithGuard(name, ['--remove']);
    const removed = read(files[name]);
    expect(name === 'gemini' ? removed : JSON.parse(removed)).toEqual(
      name === 'gemini' ? expect.stringContaining('// mine') : JSON.parse(text),
    );
  });

  it('is left alone when it is broken, with a sentence', async () => {
    const { read, setupWithGuard, write } = createHome();
    write(files[name], '{ "hooks": [');
    const { status, errorOutput } = await setupWithGuard(name);
    expect(status).not.toBe(0);
    expect(errorOutput).toMatch(/--no-guard|Nothing was changed/);
    expect(read(files[name])).toBe('{ "hooks": [');
  });
});
