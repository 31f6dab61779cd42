import { limits } from '../contract/limits.ts';
import { type Machine, toDefaultAgentId, toDefaultStorePath } from './folders.ts';
import {
  type Parsed,
  parseAgentId,
  parseHost,
  parseHostNames,
  parseList,
  parseLocation,
  parseSeconds,
  parseSecret,
  parseSwitch,
  parseText,
  parseWholeNumber,
} from './values.ts';

/** Which part of the product a setting is for. */
export type Reader = 'client' | 'mcp' | 'bus' | 'data' | 'tests';

export const readerNames: Readonly<Record<Reader, string>> = {
  client: 'commands that call a bus',
  mcp: 'the MCP server over stdio',
  bus: 'the bus',
  data: 'commands about the data',
  tests: 'tests',
};

/** One thing that can be set, by a variable and by a flag of the same meaning. */
export type Setting<Value = unknown> = Readonly<{
  environment: string;
  /** Absent where a flag would be wrong: every user of the machine can read the arguments of a process. */
  flag?: string;
  /** Whether its value may never be shown, not even when it is malformed. */
  isSecret?: boolean;
  /** Whether there is a `--no-…` flag too. */
  isNegatable?: boolean;
  description: string;
  defaultText: string;
  readBy: readonly Reader[];
  parse(text: string): Parsed<Value>;
  toDefault(machine: Machine): Value;
  /** Whether a malformed variable stops the start, or is told and left aside. */
  whenMalformed: 'refuse' | 'warn';
}>;

/** Everything that can be set. Help, reference and configuration are loops over this table. */
export const settings = {
  baseUrl: toSetting({
    environment: 'BUS_MCP_BASE_URL',
    flag: '--base-url <url>',
    description: 'where the bus is; several in front of one database with commas between',
    defaultText: 'http://127.0.0.1:8100/api/bus',
    readBy: ['client', 'mcp'],
    parse: parseText,
    toDefault: () => 'http://127.0.0.1:8100/api/bus',
  }),
  timeoutSeconds: toSetting({
    environment: 'BUS_MCP_TIMEOUT_S',
    flag: '--timeout-s <seconds>',
    description: 'per request, on top of any waiting that was asked for',
    defaultText: '10.0',
    readBy: ['client', 'mcp'],
    parse: parseSeconds({ above: 0, max: 86_400 }),
    toDefault: () => 10,
    whenMalformed: 'warn',
  }),
  writeSecret: toSetting<string | undefined>({
    environment: 'BUS_WRITE_SECRET',
    isSecret: true,
    description:
      'the secret that writes must carry; a bus also accepts one on a second line, as long as clients change over. No flag, because everybody can read arguments',
    defaultText: 'unset',
    readBy: ['client', 'mcp', 'bus'],
    parse: parseSecret,
    toDefault: () => undefined,
  }),
  writeSecretFile: toSetting<string | undefined>({
    environment: 'BUS_WRITE_SECRET_FILE',
    flag: '--write-secret-file <path>',
    description: 'a file that holds the write secret instead of a variable, for this user alone to read',
    defaultText: 'unset',
    readBy: ['client', 'mcp', 'bus'],
    parse: parseText,
    toDefault: () => undefined,
  }),
  agentId: toSetting({
    environment: 'BUS_MCP_AGENT_ID',
    flag: '--agent-id <id>',
    description: 'the owner or sender of a call that names none',
    defaultText: 'session:<host>:<pid>',
    readBy: ['client', 'mcp'],
    parse: parseAgentId,
    toDefault: toDefaultAgentId,
  }),
  autostart: toSetting({
    environment: 'BUS_MCP_AUTOSTART',
    flag: '--autostart',
    isNegatable: true,
    description: 'find the local bus or start it; 0 finds it too, and starts nothing',
    defaultText: 'on when BUS_MCP_BASE_URL is unset',
    readBy: ['client', 'mcp'],
    parse: parseSwitch,
    toDefault: () => true,
  }),
  readOnly: toSetting({
    environment: 'BUS_MCP_READ_ONLY',
    flag: '--read-only',
    description: '1 offers the reading tools only',
    defaultText: 'unset',
    readBy: ['mcp'],
    parse: parseSwitch,
    toDefault: () => false,
  }),
  toolNames: toSetting<readonly string[] | undefined>({
    environment: 'BUS_MCP_TOOLS',
    flag: '--tools <names>',
    description: 'offers only these tools, with commas between them',
    defaultText: 'all',
    readBy: ['mcp'],
    parse: parseList,
    toDefault: () => undefined,
  }),
  channelTopics: toSetting<readonly string[] | undefined>({
    environment: 'BUS_MCP_CHANNEL',
    flag: '--channel <topics>',
    description: 'passes posts to these topics on to Claude Code as channel events (a preview there)',
    defaultText: 'unset',
    readBy: ['mcp'],
    parse: parseList,
    toDefault: () => undefined,
  }),
  keepAliveSecondsMax: toSetting({
    environment: 'BUS_MCP_KEEP_ALIVE_MAX_S',
    flag: '--keep-alive-max-s <seconds>',
    description: 'how long the MCP server renews a lease for its agent at most',
    defaultText: '14400',
    readBy: ['mcp'],
    parse: parseSeconds({ above: 0, max: 31_536_000 }),
    toDefault: () => 14_400,
  }),
  host: toSetting({
    environment: 'BUS_HOST',
    flag: '--host <host>',
    description: 'where the bus listens; beyond loopback only with a write secret',
    defaultText: '127.0.0.1',
    readBy: ['bus'],
    parse: parseHost,
    toDefault: () => '127.0.0.1',
  }),
  port: toSetting({
    environment: 'BUS_PORT',
    flag: '--port <number>',
    description: 'the port of the bus; 0 takes any free one',
    defaultText: '8100',
    readBy: ['bus'],
    parse: parseWholeNumber({ min: 0, max: 65_535 }),
    toDefault: () => 8100,
  }),
  store: toSetting({
    environment: 'BUS_STORE',
    flag: '--store <path>',
    description: 'a path, or postgres://…',
    defaultText: "a file in the user's data folder",
    readBy: ['bus', 'data'],
    parse: parseLocation,
    toDefault: toDefaultStorePath,
  }),
  acceptLoss: toSetting({
    environment: 'BUS_ACCEPT_LOSS',
    flag: '--accept-loss',
    description: 'go on after acknowledged messages were lost, with ids and fences above them',
    defaultText: 'unset',
    readBy: ['bus'],
    parse: parseSwitch,
    toDefault: () => false,
  }),
  leaseSecondsMax: toSetting({
    environment: 'BUS_MAX_LEASE_SECONDS',
    flag: '--max-lease-seconds <seconds>',
    description: 'the longest lease that the bus grants',
    defaultText: String(limits.leaseSecondsMaxDefault),
    readBy: ['bus'],
    parse: parseWholeNumber({ min: 1, max: 315_360_000 }),
    toDefault: () => limits.leaseSecondsMaxDefault,
  }),
  allowedHosts: toSetting<readonly string[]>({
    environment: 'BUS_ALLOWED_HOSTS',
    flag: '--allowed-hosts <names>',
    description: 'names that Host may carry and whole origins whose pages may ask, with commas between them',
    defaultText: 'loopback names',
    readBy: ['bus'],
    parse: parseHostNames,
    toDefault: () => [],
  }),
  idleExitSeconds: toSetting({
    environment: 'BUS_IDLE_EXIT_S',
    flag: '--idle-exit-s <seconds>',
    description: 'a bus that a client started leaves after so long without anything to do',
    defaultText: '1800',
    readBy: ['bus'],
    parse: parseSeconds({ above: 0, max: 31_536_000 }),
    toDefault: () => 1800,
  }),
  live: toSetting({
    environment: 'BUS_MCP_LIVE',
    description: '1 runs the smoke test of the test suite against the bus at BUS_MCP_BASE_URL',
    defaultText: 'unset',
    readBy: ['tests'],
    parse: parseSwitch,
    toDefault: () => false,
  }),
};

export type SettingName = keyof typeof settings;

export type SettingValues = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer Value> ? Value : never;
};

/** The table for loops that treat all settings alike. */
export const settingEntries = Object.entries(settings) as readonly (readonly [SettingName, Setting])[];

function toSetting<Value>(
  setting: Omit<Setting<Value>, 'whenMalformed'> & Partial<Pick<Setting<Value>, 'whenMalformed'>>,
): Setting<Value> {
  return { whenMalformed: 'refuse', ...setting };
}
