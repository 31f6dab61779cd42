import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { toDefaultStorePath } from '../../src/cli/folders.ts';
import { settingEntries } from '../../src/cli/settings.ts';
import { createHome } from './folder.ts';

const codexFile = '.codex/config.toml';

describe('Codex, which hands on only the variables that are named', () => {
  it('is given the name of everything that decides which bus is found, and how', async () => {
    const { read, setup } = createHome();
    await setup('codex');
    const named = readVariables(read(codexFile));
    const product = settingEntries.filter(([, { readBy }]) => readBy.some((reader) => reader !== 'tests'));
    expect(named).toEqual(expect.arrayContaining(product.map(([, { environment }]) => environment)));
    expect(named).toEqual(expect.arrayContaining(findFolderVariables()));
    expect(named).toContain('PGPASSWORD');
    expect(named).not.toContain('BUS_MCP_LIVE');
  });

  it('gets what is missing into a list that is there, behind what stands in it', async () => {
    const { read, setup, write } = createHome();
    const list = `env_vars = [
  "MINE", # of the team
  { name = "BUS_STORE", source = "local" }, # a "]" and a #
  'BUS_PORT' # the last
] # done
enabled = true
`;
    write(codexFile, `[mcp_servers.bus]\ncommand = "npx"\nargs = ["-y", "bus-mcp"]\n${list}`);
    const { output } = await setup('codex');
    expect(output).toContain("changed the server 'bus'");
    const after = read(codexFile);
    const [start = '', end = ''] = list.split("'BUS_PORT'");
    expect(after).toContain(`${start}'BUS_PORT', "BUS_MCP_BASE_URL", `);
    expect(after.endsWith(end)).toBe(true);
    const named = readVariables(after);
    expect(named.slice(0, 3)).toEqual(['MINE', 'BUS_STORE', 'BUS_PORT']);
    expect(new Set(named).size).toBe(named.length);
    expect((await setup('codex')).output).toContain('nothing to do');
  });

  it.each([
    'env_vars = []',
    'env_vars = ["BUS_STORE"]',
    'env_vars = ["BUS_STORE",]',
    'env_vars = [\n  "BUS_STORE",\n  # no more\n]',
    'env_vars = "BUS_STORE"',
  ])('gets a list out of %j', async (list) => {
    const { read, setup, write } = createHome();
    write(codexFile, `[mcp_servers.bus]\ncommand = "npx"\nargs = ["-y", "bus-mcp"]\n${list}\n`);
    await setup('codex');
    const named = readVariables(read(codexFile));
    expect(named.filter((name) => name === 'BUS_STORE')).toHaveLength(1);
    expect(named).toContain('XDG_DATA_HOME');
    expect(read(codexFile).includes('# no more')).toBe(list.includes('# no more'));
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
    expect(output).toMatch(/unseen {2}BUS_MCP_TIMEOUT_S .*--timeout-s/);
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
    toDefaultStorePath({ platform, hostName: 'host', processId: 1, environment });
  }
  return [...asked].filter((name) => name !== 'HOME' && name !== 'USERPROFILE');
}
