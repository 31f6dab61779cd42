import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isPublished } from '../../src/contract/publication.ts';
import { createFolder } from '../folder.ts';
import { installClient } from './install.ts';

/** Of a checkout, what the plugin needs: the rest would be copied too, and takes long. */
const parts = ['.claude-plugin', 'dist', 'hooks', 'skills', 'package.json'];

test('a plugin installed from a checkout starts without the registry', { timeout: 120_000 }, async () => {
  const program = await installClient('claude-code');
  const home = createFolder();
  const checkout = createFolder();
  for (const part of parts) cpSync(part, join(checkout, part), { recursive: true });
  const run = (...words: string[]) =>
    execFileSync(program, words, {
      env: {
        PATH: process.env.PATH,
        HOME: home,
        BUS_MCP_AUTOSTART: '0',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        // Whoever asks the registry gets no answer here.
        npm_config_registry: 'http://127.0.0.1:9',
      },
      encoding: 'utf8',
      timeout: 60_000,
    });
  run('plugin', 'marketplace', 'add', checkout);
  if (isPublished) return expect(() => run('plugin', 'install', 'bus-mcp@bus-mcp')).toThrow();
  expect(run('plugin', 'install', 'bus-mcp@bus-mcp')).toContain('Successfully installed');
  expect(run('mcp', 'list')).toMatch(/plugin:bus-mcp:bus: .*dist\/bin\.js - ✔ Connected/);
});
