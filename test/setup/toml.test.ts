import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { createHome } from './folder.ts';

const path = '.codex/config.toml';

const real = `# Codex, as I like it
model = "gpt-5-codex"   # the big one
approval_policy = 'on-request'
notify = [
  "notify-send", # a comment with ] and "
  "done [x] # not a comment",
]

[mcp_servers.docs]   # team docs
command = "npx"
args = ["-y", "docs-mcp"]
env = { TOKEN = "a # b" }

[mcp_servers."odd.name"]
url = "https://example.com/mcp"

[projects."/home/ada/work"]
trust_level = "trusted"

[[rules]]
text = """
[mcp_servers.bus]
this is text """"
big = 9007199254740993
at = 2026-01-01T00:00:00Z
`;

describe.each([
  ['with comments, other servers and long strings', real],
  ['with Windows line ends', real.replaceAll('\n', '\r\n')],
  ['without a line end at its end', real.trimEnd()],
  ['with a byte order mark', `\ufeff${real}`],
  ['with blank lines at its end', `${real}\n\n`],
  ['with a list of servers of its own', '[mcp_servers]\n\n[model]\na = 1\n'],
  ['without content', ''],
  ['with a comment only', '# nothing yet\n'],
])('a config.toml %s', (_title, before) => {
  it('gets the table at its end, and keeps every other byte', async () => {
    const { read, setup, write } = createHome();
    write(path, before);
    const { status } = await setup('codex');
    expect(status).toBe(0);
    const after = read(path);
    expect(after.startsWith(before)).toBe(true);
    expect(readBack(after).mcp_servers).toMatchObject({ bus: { command: 'npx', args: ['-y', 'bus-mcp'] } });
    expect(after.includes('\r\n')).toBe(before.includes('\r\n'));
    expect(/[^\r]\n/.test(after) && before.includes('\r\n')).toBe(false);
  });

  it('is given back to the byte', async () => {
    const { read, setup, write } = createHome();
    write(path, before);
    await setup('codex');
    await setup('codex', ['--remove']);
    expect(read(path)).toBe(before);
  });

  it('is given back to the byte also when the copy is gone', async () => {
    const { read, setup, write } = createHome();
    write(path, `${before}${before === '' ? 'a = 1\n' : ''}`);
    await setup('codex');
    write(`${path}.bus-mcp.bak`, 'lost = true');
    await setup('codex', ['--remove']);
    expect(read(path)).toBe(`${before}${before === '' ? 'a = 1\n' : ''}`);
  });
});

describe('a table that is there already', () => {
  const table = `[mcp_servers.bus] # ours
# how it starts
command = "python" # old
args = [
  "-m", # module
  "bus_client",
]
enabled = true
tool_timeout_sec = 45

[mcp_servers.bus.env]
BUS_MCP_BASE_URL = "http://old/api/bus" # the old one
OTHER = "kept"

[tui]
theme = "dark"
`;

  it('is changed key by key; comments and other keys stay', async () => {
    const { read, setup, write } = createHome();
    write(path, table);
    const { output } = await setup('codex', ['--base-url', 'http://new/api/bus', '--agent-id', 'ada']);
    expect(output).toContain('before  python -m bus_client');
    expect(read(path)).toBe(`[mcp_servers.bus] # ours
# how it starts
command = "npx" # old
args = [
  "-y", # module
  "bus-mcp",
]
enabled = true
tool_timeout_sec = 45

[mcp_servers.bus.env]
BUS_MCP_BASE_URL = "http://new/api/bus" # the old one
OTHER = "kept"
BUS_MCP_AGENT_ID = "ada"

[tui]
theme = "dark"
`);
  });

  it('gets new variables into the list on its line', async () => {
    const { read, setup, write } = createHome();
    write(path, '[mcp_servers.bus]\ncommand = "npx"\nargs = ["-y", "bus-mcp"]\nenv = { A = "1" } # mine\n');
    await setup('codex', ['--agent-id', 'ada']);
    expect(read(path)).toContain('env = { A = "1", BUS_MCP_AGENT_ID = "ada" } # mine\n');
  });

  it('goes with its subtables, and nothing else does', async () => {
    const { read, setup, write } = createHome();
    write(path, `# first\nmodel = "x"\n\n${table}`);
    await setup('codex', ['--remove']);
    expect(read(path)).toBe('# first\nmodel = "x"\n\n[tui]\ntheme = "dark"\n');
  });

  it.each([
    '[mcp_servers]\nother = { command = "x" }\nbus = { command = "npx", args = [] }\n',
    'mcp_servers.bus.command = "npx"\nmcp_servers.other.command = "x"\n',
  ])('goes also when it is written in another way: %j', async (before) => {
    const { read, setup, write } = createHome();
    write(path, before);
    const { status } = await setup('codex', ['--remove']);
    expect(status).toBe(0);
    expect(readBack(read(path))).toEqual({ mcp_servers: { other: { command: 'x' } } });
  });

  it.each([
    '[mcp_servers]\nbus = { command = "python" } # mine\n',
    'mcp_servers.bus.command = "python" # mine\n',
  ])('is changed also where it is written in another way: %j', async (before) => {
    const { read, setup, write } = createHome();
    write(path, before);
    expect((await setup('codex')).status).toBe(0);
    expect(readBack(read(path)).mcp_servers).toMatchObject({ bus: { command: 'npx' } });
    expect(read(path)).toContain('# mine');
  });
});

it('a config.toml that closes its list of servers is left untouched, and the block is shown', async () => {
  const { list, read, setup, write } = createHome();
  const before = 'mcp_servers = { other = { command = "x" } }\n';
  write(path, before);
  const { errorOutput, status } = await setup('codex');
  expect(status).toBe(1);
  expect(errorOutput).toContain('in a way that this command does not edit');
  expect(errorOutput).toContain('[mcp_servers.bus]');
  expect(read(path)).toBe(before);
  expect(list('.codex')).toEqual(['config.toml']);
});

describe('a broken config.toml', () => {
  it.each([
    ['model = \n', 'line 1, column 9'],
    ['[a]\nb = 1\n[a]\n', 'line 3'],
    ['a = "x\n', 'line 1'],
    ['a = 1\nb = [1, 2\n', 'line 3'],
  ])('is left untouched: %j', async (text, place) => {
    const { list, read, setup, write } = createHome();
    write(path, text);
    const { errorOutput, status } = await setup('codex');
    expect([status, errorOutput]).toEqual([1, expect.stringContaining(`is broken at ${place}`)]);
    expect(read(path)).toBe(text);
    expect(list('.codex')).toEqual(['config.toml']);
  });
});

it('writes paths of Windows and odd signs so that they are read back the same', async () => {
  const { read, setup } = createHome();
  const flags = [
    '--command',
    `"C:\\Program Files\\node.exe" 'it"s' C:\\bus\\bin.js`,
    '--agent-id',
    "o'neil\\x",
  ];
  await setup('codex', flags);
  expect(readBack(read(path)).mcp_servers).toMatchObject({
    bus: {
      command: 'C:\\Program Files\\node.exe',
      args: ['it"s', 'C:\\bus\\bin.js'],
      env: { BUS_MCP_AGENT_ID: "o'neil\\x" },
    },
  });
});

function readBack(text: string): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(parse(text.replace(/^\ufeff/, ''), { integersAsBigInt: 'asNeeded' }), (_key, value) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  );
}
