import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { toDefaultStorePath } from '../../src/cli/folders.ts';
import { settingEntries } from '../../src/cli/settings.ts';
import { clients } from '../../src/cli/setup/clients.ts';
import { createHome } from './folder.ts';

const codexFile = '.codex/config.toml';

describe('Codex, which hands on only the variables that are named', () => {
  const product = settingEntries.filter(([, { readBy }]) => readBy.some((reader) => reader !== 'tests'));
  const names = [...product.map(([, { environment }]) => environment), ...findFolderVariables()];

  it('is given no name where nothing is set', async () => {
    const { read, setup } = createHome();
    await setup('codex', [], { PGPASSWORD: 'xyzzy-5' });
    expect(read(codexFile)).not.toContain('env_vars');
  });

  it('is given the name of what is set and decides which bus is found, and how', async () => {
    for (const name of names) expect(clients.codex.toHandedOn?.({ [name]: '1', OTHER: '1' })).toEqual([name]);
    const { read, setup } = createHome();
    await setup('codex', [], { BUS_STORE: '/data/team.db', XDG_DATA_HOME: '/data', BUS_PORT: '' });
    expect(readVariables(read(codexFile))).toEqual(['BUS_STORE', 'XDG_DATA_HOME']);
  });

  it('is given PGPASSWORD with a store in PostgreSQL', async () => {
    const { read, setup } = createHome();
    await setup('codex', [], { BUS_STORE: 'postgres://db/bus', PGPASSWORD: 'xyzzy-5', BUS_MCP_LIVE: '1' });
    expect(readVariables(read(codexFile))).toEqual(['BUS_STORE', 'PGPASSWORD']);
  });

  it.each([
    'env_vars = ["MINE", { name = "BUS_STORE", source = "local" }] # a "]" and a #',
    'env_vars = [\n  "MINE", # a "]" and a #\n  \'BUS_STORE\'\n]',
    'env_vars = ["MINE", "BUS_STORE",] # a "]" and a #',
  ])('gets what is missing into the list that is there: %j', async (list) => {
    const { read, setup, write } = createHome();
    write(codexFile, `[mcp_servers.bus]\ncommand = "npx"\nargs = ["-y", "bus-mcp"]\n${list}\n`);
    const environment = { BUS_STORE: '/data/team.db', BUS_PORT: '0' };
    await setup('codex', [], environment);
    expect(readVariables(read(codexFile))).toEqual(['MINE', 'BUS_STORE', 'BUS_PORT']);
    expect(read(codexFile)).toContain('# a "]" and a #');
    expect((await setup('codex', [], environment)).output).toContain('nothing to do');
  });
});

describe('what is set here and the client will not see', () => {
  const environment = { BUS_STORE: '/data/team.db', BUS_MCP_TIMEOUT_S: '5', XDG_DATA_HOME: '/data' };

  it.each(['claude-desktop', 'cursor', 'vscode'] as const)('is told for %s, one by one', async (client) => {
    const { setup } = createHome();
    const { output } = await setup(client, [], environment);
    expect(output).toMatch(
      /unseen {2}BUS_STORE is set here and not written, .*: run this again with --store,/,
    );
    expect(output).toMatch(/unseen {2}BUS_MCP_TIMEOUT_S .*--timeout, or add/);
    expect(output).toMatch(/unseen {2}XDG_DATA_HOME is set here and not written, .*: add it by hand/);
    const again = await setup(client, [], environment);
    expect(again.output).toContain('nothing to do');
    expect(again.output).toContain('unseen  BUS_STORE');
    const printed = await setup(client, ['--print'], environment);
    expect(printed.errorOutput).toContain('unseen  BUS_STORE');
  });

  it('is not what was typed, nor what the entry says, nor the secret, nor what is empty', async () => {
    const { setup } = createHome();
    const more = { BUS_WRITE_SECRET: 'xyzzy-5', BUS_PORT: '', BUS_MCP_LIVE: '1' };
    const flags = ['--store', '/data/team.db', '--timeout-s', '5'];
    const first = await setup('vscode', flags, { ...environment, ...more });
    expect(first.output.match(/unseen {2}\w+/g)).toEqual(['unseen  XDG_DATA_HOME']);
    const second = await setup('vscode', [], { ...environment, ...more });
    expect(second.output.match(/unseen {2}\w+/g)).toEqual(['unseen  XDG_DATA_HOME']);
  });

  it('is told without its value, which may carry a password', async () => {
    const { setup } = createHome();
    const { output } = await setup('cursor', [], { BUS_STORE: 'postgres://ada:xyzzy-5@db/bus' });
    expect(output).toMatch(/unseen {2}BUS_STORE is set here and not written, .*: add it by hand/);
    expect(output).not.toContain('xyzzy-5');
  });

  it.each(['claude-code', 'codex', 'gemini'] as const)('is nothing for %s', async (client) => {
    const { setup } = createHome();
    const { output } = await setup(client, [], environment);
    expect(output).not.toContain('unseen');
  });
});

describe('a store with a URL, which is not written', () => {
  const flags = ['--store', 'postgres://ada@db/bus'];

  it('is to be set where the client is started, for a client that hands it on', async () => {
    const { setup } = createHome();
    for (const client of ['claude-code', 'codex', 'gemini'] as const) {
      const { errorOutput } = await setup(client, flags);
      expect(errorOutput).toContain('set BUS_STORE where the client is started');
    }
  });

  it('is to be added by hand for a client that sees no shell', async () => {
    const { setup } = createHome();
    for (const client of ['claude-desktop', 'cursor', 'vscode'] as const) {
      const { errorOutput } = await setup(client, flags);
      expect(errorOutput).toContain("add BUS_STORE to the entry's env by hand");
    }
  });
});

it('Gemini CLI gets a reference to what has SECRET in its name, which it keeps back', async () => {
  const { read, setup, toFile, write } = createHome();
  write('secret', 'xyzzy-5', 0o600);
  await setup('gemini', [], { BUS_WRITE_SECRET_FILE: toFile('secret') });
  expect(JSON.parse(read('.gemini/settings.json')).mcpServers.bus.env).toEqual({
    BUS_WRITE_SECRET_FILE: '$BUS_WRITE_SECRET_FILE',
  });
});

function readVariables(text: string): string[] {
  const { bus } = parse(text).mcp_servers as unknown as { bus: { env_vars: (string | { name: string })[] } };
  return bus.env_vars.map((item) => (typeof item === 'string' ? item : item.name));
}

/** What decides where the data lies, beside the home folder, which every client hands on. */
function findFolderVariables(): string[] {
  const asked = new Set<string>();
  const environment = new Proxy({} as NodeJS.ProcessEnv, {
    get: (_, name) => void asked.add(String(name)),
  });
  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    toDefaultStorePath({ platform, environment });
  }
  return [...asked].filter((name) => name !== 'HOME' && name !== 'USERPROFILE');
}
