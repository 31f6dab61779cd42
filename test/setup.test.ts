import { lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile, writeConfigFile } from '../src/cli/setup/config-file.ts';
import { type ClientName, createHome, readServers, userFiles } from './setup/folder.ts';

const clientNames = Object.keys(userFiles) as ClientName[];

describe.each(clientNames)('setup %s', (client) => {
  const path = userFiles[client];

  it('writes the file when there is none, readable by its user only', async () => {
    const { mode, read, setup, toFile } = createHome();
    const { output, status } = await setup(client);
    expect(status).toBe(0);
    expect(output).toContain(`wrote the server 'bus' into ${toFile(path)}`);
    expect(output).toContain('starts  npx -y bus-mcp');
    expect(read(path)).toMatchSnapshot();
    expect(mode(path)).toBe(0o600);
  });

  it('changes nothing the second time, and says so', async () => {
    const { list, read, setup } = createHome();
    await setup(client);
    const before = read(path);
    const { output, status } = await setup(client);
    expect(status).toBe(0);
    expect(output).toContain('nothing to do');
    expect(read(path)).toBe(before);
    expect(list(join(path, '..'))).toEqual([basename(path)]);
  });

  it('takes a file away again that it made', async () => {
    const { list, setup } = createHome();
    await setup(client);
    const { output, status } = await setup(client, ['--remove']);
    expect(status).toBe(0);
    expect(output).toContain('removed');
    expect(list(join(path, '..'))).toEqual([]);
  });

  it('has nothing to remove where nothing is', async () => {
    const { list, setup } = createHome();
    const { output, status } = await setup(client, ['--remove']);
    expect([status, output]).toEqual([0, expect.stringContaining("there is no server 'bus'")]);
    expect(list()).toEqual([]);
  });

  it('prints the block and writes nothing with --print', async () => {
    const { list, read, setup } = createHome();
    const { errorOutput, output, status } = await setup(client, ['--print']);
    expect(status).toBe(0);
    expect(errorOutput).toContain(path);
    expect(list()).toEqual([]);
    await setup(client);
    expect(output).toBe(read(path));
  });

  it('puts settings that were typed into the entry, and never the secret', async () => {
    const { read, setup } = createHome();
    const flags = ['--base-url', 'http://bus.example:8100/api/bus', '--read-only', '--no-autostart'];
    const { output } = await setup(client, flags, { BUS_WRITE_SECRET: 'xyzzy-5', BUS_MCP_AGENT_ID: 'ada' });
    const servers = readServers(read(path));
    const variables = servers.bus?.env ?? servers.bus?.environment;
    expect(variables).toMatchObject({
      BUS_MCP_BASE_URL: 'http://bus.example:8100/api/bus',
      BUS_MCP_READ_ONLY: '1',
      BUS_MCP_AUTOSTART: '0',
    });
    expect(variables).not.toHaveProperty('BUS_MCP_AGENT_ID');
    expect(read(path) + output).not.toContain('xyzzy-5');
    expect(output).toContain('BUS_WRITE_SECRET is not written');
  });

  it('refuses bytes that are no UTF-8, and leaves them', async () => {
    const { list, setup, toFile, write } = createHome();
    const bytes = Buffer.from('\ufeff{}', 'utf16le');
    write(path, bytes);
    const { errorOutput, status } = await setup(client);
    expect(status).toBe(1);
    expect(errorOutput).toContain('is not UTF-8 text');
    expect(readFileSync(toFile(path))).toEqual(bytes);
    expect(list(join(path, '..'))).toEqual([basename(path)]);
  });

  it('refuses a file that is read-only, and shows what to add', async () => {
    const { read, setup, write } = createHome();
    write(path, '', 0o444);
    const { errorOutput, status } = await setup(client);
    expect(status).toBe(1);
    expect(errorOutput).toContain('is read-only');
    expect(errorOutput).toContain('"bus-mcp"');
    expect(read(path)).toBe('');
  });
});

describe('a file that somebody uses', () => {
  it('keeps its mode, and its copy has the same', async () => {
    const { mode, read, setup, write } = createHome();
    write('.cursor/mcp.json', '{ "mcpServers": {} }\n', 0o664);
    const { output } = await setup('cursor');
    expect(output).toContain('.cursor/mcp.json.bus-mcp.bak');
    expect(mode('.cursor/mcp.json')).toBe(0o664);
    expect(mode('.cursor/mcp.json.bus-mcp.bak')).toBe(0o664);
    expect(read('.cursor/mcp.json.bus-mcp.bak')).toBe('{ "mcpServers": {} }\n');
  });

  it('leaves no other file behind', async () => {
    const { list, setup, write } = createHome();
    write('.cursor/mcp.json', '{}');
    await setup('cursor');
    expect(list('.cursor')).toEqual(['mcp.json', 'mcp.json.bus-mcp.bak']);
  });

  it('is written through a link, and the link stays', async () => {
    const { read, setup, toFile, write } = createHome();
    write('dotfiles/cursor.json', '{"mcpServers": {}}\n');
    mkdirSync(toFile('.cursor'));
    symlinkSync('../dotfiles/cursor.json', toFile('.cursor/mcp.json'));
    const { output } = await setup('cursor');
    expect(output).toContain(`(a link to ${toFile('dotfiles/cursor.json')})`);
    expect(lstatSync(toFile('.cursor/mcp.json')).isSymbolicLink()).toBe(true);
    expect(read('dotfiles/cursor.json')).toContain('"bus"');
  });

  it('is refused when its link leads nowhere', async () => {
    const { list, setup, toFile } = createHome();
    mkdirSync(toFile('.cursor'));
    symlinkSync('../gone.json', toFile('.cursor/mcp.json'));
    const { errorOutput, status } = await setup('cursor');
    expect([status, errorOutput]).toEqual([
      1,
      expect.stringContaining('a link to a file that does not exist'),
    ]);
    expect(list()).toEqual(['.cursor']);
  });

  it('is refused when it is a folder', async () => {
    const { setup, toFile } = createHome();
    mkdirSync(toFile('.cursor/mcp.json'), { recursive: true });
    const { errorOutput, status } = await setup('cursor');
    expect([status, errorOutput]).toEqual([1, expect.stringContaining('is no file')]);
  });

  it('is not written over when another program was quicker', async () => {
    const { read, toFile, write } = createHome();
    write('mcp.json', '{}');
    const file = await readConfigFile(toFile('mcp.json'), 0o600);
    write('mcp.json', '{"theirs": 1}');
    await expect(writeConfigFile(file, '{"ours": 1}')).rejects.toThrow('was changed by another program');
    expect(read('mcp.json')).toBe('{"theirs": 1}');
  });

  it('is refused when its folder cannot be one', async () => {
    const { list, setup, write } = createHome();
    write('.cursor', 'a file');
    const { errorOutput, status } = await setup('cursor');
    expect([status, errorOutput]).toEqual([1, expect.stringContaining('cannot be read (ENOTDIR)')]);
    expect(list()).toEqual(['.cursor']);
  });

  it('is given back to the byte although the list of servers was empty', async () => {
    const { read, setup, write } = createHome();
    const before = '{\n  "numStartups": 41,\n  "mcpServers": {}\n}';
    write('.claude.json', before);
    await setup('claude-code');
    await setup('claude-code', ['--remove']);
    expect(read('.claude.json')).toBe(before);
  });

  it('keeps what was changed meanwhile when the entry is removed', async () => {
    const { read, setup, write } = createHome();
    write('.claude.json', '{\n  "numStartups": 41\n}\n');
    await setup('claude-code');
    write('.claude.json', read('.claude.json').replace('41', '42'));
    await setup('claude-code', ['--remove']);
    expect(read('.claude.json')).toBe('{\n  "numStartups": 42\n}\n');
  });
});

describe('an entry that is there already', () => {
  const entry = {
    command: 'python',
    args: ['-m', 'bus_client'],
    env: { BUS_WRITE_SECRET: 'own', BUS_MCP_BASE_URL: 'http://old/api/bus' },
    alwaysAllow: ['claim_lane'],
  };

  it('is restarted, says how it was started before, and keeps what else is in it', async () => {
    const { read, setup, write } = createHome();
    write(
      '.cursor/mcp.json',
      JSON.stringify({ mcpServers: { bus: entry, other: { url: 'http://x' } } }, null, 4),
    );
    const { output } = await setup('cursor', ['--base-url', 'http://new/api/bus']);
    expect(output).toContain("changed the server 'bus'");
    expect(output).toContain('before  python -m bus_client');
    expect(JSON.parse(read('.cursor/mcp.json'))).toEqual({
      mcpServers: {
        bus: {
          ...entry,
          command: 'npx',
          args: ['-y', 'bus-mcp'],
          env: { BUS_WRITE_SECRET: 'own', BUS_MCP_BASE_URL: 'http://new/api/bus' },
        },
        other: { url: 'http://x' },
      },
    });
  });

  it('is refused when a URL stands where a command should', async () => {
    const { read, setup, write } = createHome();
    const before = '{"mcpServers":{"bus":{"url":"http://127.0.0.1:8100/mcp"}}}';
    write('.cursor/mcp.json', before);
    const { errorOutput, status } = await setup('cursor');
    expect([status, errorOutput]).toEqual([1, expect.stringContaining('not started by a command')]);
    expect(read('.cursor/mcp.json')).toBe(before);
  });
});
