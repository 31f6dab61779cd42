import { describe, expect, it } from 'vitest';
import { type Flags, readConfig, UsageError } from '../../src/cli/config.ts';
import { readPlainFlags } from '../../src/cli/plain-flags.ts';
import { settingEntries } from '../../src/cli/settings.ts';
import { runToEnd } from './command-line.ts';

const linux = {
  platform: 'linux' as const,
  hostName: 'box',
  processName: '42',
  environment: { HOME: '/home/ada' },
};

function read(environment: NodeJS.ProcessEnv, flags: Flags = {}) {
  return readConfig({
    environment,
    flags,
    machine: { ...linux, environment: { HOME: '/home/ada', ...environment } },
  });
}

describe('the settings', () => {
  it('have the defaults that the table of the wire gives', () => {
    const { config, warnings } = read({});
    expect(warnings).toEqual([]);
    expect({ ...config, given: [...config.given] }).toEqual({
      acceptLoss: false,
      channelTopics: undefined,
      toolNames: undefined,
      writeSecretFile: undefined,
      baseUrl: 'http://127.0.0.1:8100/api/bus',
      timeoutSeconds: 10,
      writeSecret: undefined,
      agentId: 'session:box:42',
      autostart: true,
      guard: 'deny',
      repository: undefined,
      readOnly: false,
      keepAliveSecondsMax: 14_400,
      host: '127.0.0.1',
      port: 8100,
      store: '/home/ada/.local/share/bus-mcp/bus.db',
      leaseSecondsMax: 86_400,
      allowedHosts: [],
      idleExitSeconds: 1800,
      live: false,
      given: [],
    });
  });

  it('are read from the environment', () => {
    const { config } = read({
      BUS_MCP_BASE_URL: 'http://bus:1/api/bus',
      BUS_MCP_TIMEOUT_S: '2.5',
      BUS_WRITE_SECRET: 's',
      BUS_MCP_AGENT_ID: 'ada',
      BUS_MCP_READ_ONLY: '1',
      BUS_HOST: '0.0.0.0',
      BUS_PORT: '0',
      BUS_STORE: 'postgres://db/bus',
      BUS_MAX_LEASE_SECONDS: '60',
      BUS_ALLOWED_HOSTS: 'Bus.Example, https://panel.example:8443,[fe80::1]:80',
      BUS_MCP_KEEP_ALIVE_MAX_S: '60',
      BUS_IDLE_EXIT_S: '0.5',
      BUS_MCP_LIVE: '1',
    });
    expect(config).toMatchObject({
      baseUrl: 'http://bus:1/api/bus',
      timeoutSeconds: 2.5,
      writeSecret: 's',
      agentId: 'ada',
      autostart: false,
      readOnly: true,
      host: '0.0.0.0',
      port: 0,
      store: 'postgres://db/bus',
      leaseSecondsMax: 60,
      allowedHosts: ['bus.example', 'https://panel.example:8443', '[fe80::1]:80'],
      keepAliveSecondsMax: 60,
      idleExitSeconds: 0.5,
      live: true,
    });
    expect(config.given.has('baseUrl')).toBe(true);
    expect(config.given.has('autostart')).toBe(false);
  });

  it.each(settingEntries)('%s counts as unset when it is the empty string', (name, { environment }) => {
    expect(read({ [environment]: '' }).config).toEqual(read({}).config);
    expect(read({ [environment]: '' }).config.given.has(name)).toBe(false);
  });

  it('are won by a flag', () => {
    const environment = { BUS_PORT: '1', BUS_MCP_AUTOSTART: '1', BUS_MCP_READ_ONLY: '1' };
    expect(read(environment, { port: '2', autostart: false, readOnly: true }).config).toMatchObject({
      port: 2,
      autostart: false,
      readOnly: true,
    });
  });

  it('are won by a flag even when the variable is malformed', () => {
    expect(read({ BUS_PORT: 'x' }, { port: '2' }).config.port).toBe(2);
  });
});

describe('a setting that is a length of time', () => {
  it('takes a duration, as every flag does', () => {
    const environment = {
      BUS_MCP_TIMEOUT_S: '1m30s',
      BUS_MCP_KEEP_ALIVE_MAX_S: '12h',
      BUS_MAX_LEASE_SECONDS: '2d',
      BUS_IDLE_EXIT_S: '5m',
    };
    expect(read(environment).config).toMatchObject({
      timeoutSeconds: 90,
      keepAliveSecondsMax: 43_200,
      leaseSecondsMax: 172_800,
      idleExitSeconds: 300,
    });
  });

  it('has a flag without its unit, and the one with the unit still works', async () => {
    for (const flag of ['--timeout', '--timeout-s']) {
      const script = { getBusStatus: () => ({}) };
      expect((await runToEnd(['status', flag, '5m'], { script })).status).toBe(0);
      expect(readPlainFlags([flag, '5m'])).toEqual({ timeoutSeconds: '5m' });
    }
  });
});

describe('a malformed setting', () => {
  it.each([
    ['BUS_PORT', '65536', 'must be a whole number from 0 to 65535'],
    ['BUS_PORT', '80.5', 'must be a whole number'],
    ['BUS_PORT', '0x50', 'must be a whole number'],
    ['BUS_MAX_LEASE_SECONDS', '0', 'must be a duration, as in 90s, 5m or 12h, from 1s'],
    ['BUS_IDLE_EXIT_S', '-1', 'must be a duration, as in 90s, 5m or 12h, above 0'],
    ['BUS_ALLOWED_HOSTS', 'a b', 'must be host names'],
    ['BUS_ALLOWED_HOSTS', ',', 'must be host names'],
    ['BUS_MCP_READ_ONLY', 'maybe', 'must be 1 or 0'],
    ['BUS_MCP_AUTOSTART', '2', 'must be 1 or 0'],
    ['BUS_MCP_AGENT_ID', 'a'.repeat(201), 'must have at most 200 characters'],
  ])('%s=%s stops the start with one sentence', (variable, text, problem) => {
    expect(() => read({ [variable]: text })).toThrow(UsageError);
    expect(() => read({ [variable]: text })).toThrow(`${variable} ${problem}`);
    expect(() => read({ [variable]: text })).toThrow(/^[^\n]+$/);
  });

  it.each([
    'mysql://ada:hush@db.example/bus',
    'postgresql+psycopg://ada:hush@db.example/bus',
    'postgres:/ada:hush@db.example/bus',
    'http://ada:hush@db.example/bus',
  ])('BUS_STORE=%s is refused and never repeated, as it may hold a password', (text) => {
    expect(() => read({ BUS_STORE: text })).toThrow('BUS_STORE must be the path of a file, or postgres://');
    expect(() => read({ BUS_STORE: text })).toThrow(/^(?!.*(hush|db\.example))[^\n]+$/);
    expect(() => read({}, { store: text })).toThrow('--store must be the path');
  });

  it.each([
    'POSTGRES://db/bus',
    'postgresql://db/bus',
    'C:/data/bus.db',
    'c:\\bus.db',
    'notes:today.db',
    './a:/b',
  ])('BUS_STORE=%s is none', (text) => {
    const { config } = readConfig({ environment: { BUS_STORE: text }, readers: ['bus'] });
    expect(config.store).toBe(text);
  });

  it.each(['abc', '0', '-1', '1e3', 'NaN', '99999999999'])(
    'BUS_MCP_TIMEOUT_S=%s is told and left aside',
    (text) => {
      const { config, warnings } = read({ BUS_MCP_TIMEOUT_S: text });
      expect(config.timeoutSeconds).toBe(10);
      expect(warnings).toEqual([
        `BUS_MCP_TIMEOUT_S must be a duration, as in 90s, 5m or 12h, above 0 and at most 1d, not "${text}": going on with the default 10s`,
      ]);
    },
  );

  it('is refused when it was typed as a flag, whatever it is', () => {
    expect(() => read({}, { timeoutSeconds: 'abc' })).toThrow('--timeout must be a duration');
    expect(() => read({}, { store: '' })).toThrow('--store must not be empty');
  });

  it('of the bus does not keep a client from a bus that it only connects to', () => {
    const environment = { BUS_PORT: 'x', BUS_HOST: '0.0.0.0' };
    const client = { readers: ['client'] as const, machine: linux };
    const elsewhere = { ...environment, BUS_MCP_BASE_URL: 'http://bus:1/api/bus' };
    expect(readConfig({ environment: elsewhere, ...client }).config.port).toBe(8100);
    expect(() => readConfig({ environment, ...client })).toThrow('BUS_PORT');
  });

  it('goes to stderr and ends in status 2', async () => {
    const { errorOutput, status } = await runToEnd(['serve'], { environment: { BUS_PORT: 'x' } });
    expect(status).toBe(2);
    expect(errorOutput).toBe('BUS_PORT must be a whole number from 0 to 65535, not "x"\n');
  });
});

describe('the host', () => {
  it.each(['127.0.0.1', '127.8.9.1', 'localhost', 'LOCALHOST', '::1'])('%s may be open', (host) => {
    expect(read({ BUS_HOST: host }).config.host).toBe(host);
  });

  it.each(['0.0.0.0', '::', '10.0.0.7', 'bus.example', '127.0.0.1.evil.example', '1270.0.0.1'])(
    '%s is refused unless a write secret is set',
    (host) => {
      expect(() => read({ BUS_HOST: host })).toThrow(/BUS_WRITE_SECRET is set: set one/);
      expect(() => read({ BUS_HOST: host, BUS_WRITE_SECRET: '' })).toThrow(UsageError);
      expect(read({ BUS_HOST: host, BUS_WRITE_SECRET: 's' }).config.host).toBe(host);
    },
  );
});

describe('a flag of another command', () => {
  it.each([
    [['serve', '--read-only'], '--read-only is for the MCP server over stdio'],
    [['serve', '--tools', 'claim_lane'], '--tools is for the MCP server over stdio'],
    [['--channel', 'build', 'serve'], '--channel is for the MCP server over stdio'],
    [
      ['serve', '--base-url', 'http://bus:1/api/bus'],
      '--base-url is for commands that call a bus and the MCP',
    ],
    [['status', '--keep-alive-max-s', '5'], '--keep-alive-max is for the MCP server over stdio'],
    [['serve', '--no-autostart'], '--autostart is for'],
  ])('is refused, because it would change nothing: %j', async (argv, sentence) => {
    const { status, errorOutput } = await runToEnd(argv);
    expect([status, errorOutput]).toEqual([2, expect.stringContaining(sentence)]);
    expect(errorOutput).toContain('would change nothing here: leave it out');
  });

  it('is taken where the command may start the one that goes by it', () => {
    const flags = { port: '8200', store: '/tmp/bus.db' };
    expect(readConfig({ environment: {}, flags, readers: ['client'] }).config.port).toBe(8200);
    expect(readConfig({ environment: {}, flags, readers: ['mcp'] }).config.port).toBe(8200);
  });

  it('is none as a variable, which all commands of one environment share', () => {
    const environment = { BUS_MCP_READ_ONLY: '1' };
    expect(readConfig({ environment, readers: ['bus'] }).config.port).toBe(8100);
  });
});

describe('an address of IPv6', () => {
  it.each(['::1', '[::1]'])('may stand in brackets: %s', (host) => {
    expect(read({ BUS_HOST: host }).config.host).toBe('::1');
  });
});

describe('starting a bus', () => {
  it('is for those who do not say where the bus is', () => {
    expect(read({}).config.autostart).toBe(true);
    expect(read({ BUS_MCP_AUTOSTART: '0' }).config.autostart).toBe(false);
    expect(read({}, { baseUrl: 'http://bus:1/api/bus' }).config.autostart).toBe(false);
  });

  it('cannot be asked for together with an address, which is told', () => {
    const { config, warnings } = read({ BUS_MCP_AUTOSTART: '1', BUS_MCP_BASE_URL: 'http://bus:1/api/bus' });
    expect(config.autostart).toBe(false);
    expect(warnings).toEqual([expect.stringContaining('BUS_MCP_AUTOSTART has no effect')]);
  });
});

describe('the folder of the data', () => {
  it.each([
    ['linux', { HOME: '/home/ada' }, '/home/ada/.local/share/bus-mcp/bus.db'],
    ['linux', { HOME: '/home/ada', XDG_DATA_HOME: '/data' }, '/data/bus-mcp/bus.db'],
    ['linux', { HOME: '/home/ada', XDG_DATA_HOME: 'data' }, '/home/ada/.local/share/bus-mcp/bus.db'],
    ['darwin', { HOME: '/Users/ada' }, '/Users/ada/Library/Application Support/bus-mcp/bus.db'],
    ['win32', { LOCALAPPDATA: 'C:\\Local' }, 'C:\\Local\\bus-mcp\\bus.db'],
    ['win32', { USERPROFILE: 'C:\\ada' }, 'C:\\ada\\AppData\\Local\\bus-mcp\\bus.db'],
  ] as const)('on %s with %j is that of the user', (platform, environment, path) => {
    const machine = { ...linux, platform, environment };
    expect(readConfig({ environment: {}, machine }).config.store).toBe(path);
  });
});
