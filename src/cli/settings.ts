import type { GuardMode } from '../client-side/guard-modes.ts';
import { limits } from '../contract/limits.ts';
import { toDurationText } from './duration.ts';
import { type Machine, toDefaultAgentId, toDefaultStorePath } from './folders.ts';
import {
  type Parsed,
  parseAgentId,
  parseGuardMode,
  parseHost,
  parseHostNames,
  parseList,
  parseLocation,
  parseRepository,
  parseSeconds,
  parseSecret,
  parseSwitch,
  parseText,
  parseWholeNumber,
  parseWholeSeconds,
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
  /**
   * One name, or the short one and the one of before: `--timeout, --timeout-s <duration>`.
   *
   * Absent where a flag would be wrong: every user of the machine can read the arguments of a process.
   */
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
  /** Whether a malformed variable stops the start, or is ignored with a warning. */
  whenMalformed: 'refuse' | 'warn';
}>;

/** Everything that can be set. Help, reference and configuration are loops over this table. */
export const settings = {
  baseUrl: toSetting({
    environment: 'BUS_MCP_BASE_URL',
    flag: '--base-url <url>',
    description:
      'where the bus is; for several buses of one database, their addresses with commas between them',
    defaultText: 'http://127.0.0.1:8100/api/bus',
    readBy: ['client', 'mcp'],
    parse: parseText,
    toDefault: () => 'http://127.0.0.1:8100/api/bus',
  }),
  timeoutSeconds: toSetting({
    environment: 'BUS_MCP_TIMEOUT_S',
    flag: '--timeout, --timeout-s <duration>',
    description: 'how long a request may take, on top of any wait that it asks for',
    defaultText: '10s',
    readBy: ['client', 'mcp'],
    parse: parseSeconds({ max: 86_400 }),
    toDefault: () => 10,
    whenMalformed: 'warn',
  }),
  writeSecret: toSetting<string | undefined>({
    environment: 'BUS_WRITE_SECRET',
    isSecret: true,
    description:
      'the secret that every write must carry; a bus also accepts the one on a second line, for the time of a change. It has no flag, because every user of the machine can read the arguments of a process',
    defaultText: 'unset',
    readBy: ['client', 'mcp', 'bus'],
    parse: parseSecret,
    toDefault: () => undefined,
  }),
  writeSecretFile: toSetting<string | undefined>({
    environment: 'BUS_WRITE_SECRET_FILE',
    flag: '--write-secret-file <path>',
    description: 'a file with the write secret, readable by this user only',
    defaultText: 'unset',
    readBy: ['client', 'mcp', 'bus'],
    parse: parseText,
    toDefault: () => undefined,
  }),
  agentId: toSetting({
    environment: 'BUS_MCP_AGENT_ID',
    flag: '--agent-id <id>',
    description: 'your agent id: the owner or sender of a call that names none',
    defaultText: 'the id that the bus gives the session',
    readBy: ['client', 'mcp'],
    parse: parseAgentId,
    toDefault: toDefaultAgentId,
  }),
  autostart: toSetting({
    environment: 'BUS_MCP_AUTOSTART',
    flag: '--autostart',
    isNegatable: true,
    description: 'find the local bus, or start it; 0 never starts one',
    defaultText: 'on when BUS_MCP_BASE_URL is unset',
    readBy: ['client', 'mcp'],
    parse: parseSwitch,
    toDefault: () => true,
  }),
  readOnly: toSetting({
    environment: 'BUS_MCP_READ_ONLY',
    flag: '--read-only',
    description: '1 offers only the tools that read',
    defaultText: 'unset',
    readBy: ['mcp'],
    parse: parseSwitch,
    toDefault: () => false,
  }),
  toolNames: toSetting<readonly string[] | undefined>({
    environment: 'BUS_MCP_TOOLS',
    flag: '--tools <names>',
    description: 'offer only these tools; put commas between them',
    defaultText: 'all',
    readBy: ['mcp'],
    parse: parseList,
    toDefault: () => undefined,
  }),
  channelTopics: toSetting<readonly string[] | undefined>({
    environment: 'BUS_MCP_CHANNEL',
    flag: '--channel <topics>',
    description:
      'pass posts to these topics on to Claude Code as channel events (a preview feature of Claude Code)',
    defaultText: 'unset',
    readBy: ['mcp'],
    parse: parseList,
    toDefault: () => undefined,
  }),
  keepAliveSecondsMax: toSetting({
    environment: 'BUS_MCP_KEEP_ALIVE_MAX_S',
    flag: '--keep-alive-max, --keep-alive-max-s <duration>',
    description: 'the longest time that the MCP server renews a lease for its agent',
    defaultText: '4h',
    readBy: ['mcp'],
    parse: parseSeconds({ max: 31_536_000 }),
    toDefault: () => 14_400,
  }),
  repository: toSetting<string | undefined>({
    environment: 'BUS_MCP_REPOSITORY',
    flag: '--repository <name>',
    description: 'the name of the repository in paths that agents claim, as in github.com/acme/pocket',
    defaultText: 'from its origin',
    readBy: ['client', 'mcp'],
    parse: parseRepository,
    toDefault: () => undefined,
  }),
  guard: toSetting<GuardMode>({
    environment: 'BUS_MCP_GUARD',
    flag: '--guard <mode>',
    description:
      'what happens to an edit of a file that another session holds: deny, warn or off; claim also claims what nobody holds',
    defaultText: 'deny',
    readBy: ['mcp'],
    parse: parseGuardMode,
    toDefault: () => 'deny',
  }),
  host: toSetting({
    environment: 'BUS_HOST',
    flag: '--host <host>',
    description: 'the address that the bus listens on; any but loopback needs a write secret',
    defaultText: '127.0.0.1',
    readBy: ['bus'],
    parse: parseHost,
    toDefault: () => '127.0.0.1',
  }),
  port: toSetting({
    environment: 'BUS_PORT',
    flag: '--port <number>',
    description: 'the port that the bus listens on; 0 takes a free one',
    defaultText: '8100',
    readBy: ['bus'],
    parse: parseWholeNumber({ min: 0, max: 65_535 }),
    toDefault: () => 8100,
  }),
  store: toSetting({
    environment: 'BUS_STORE',
    flag: '--store <path>',
    description: 'where the data is: the path of a file, or postgres://…',
    defaultText: "a file in the user's data folder",
    readBy: ['bus', 'data'],
    parse: parseLocation,
    toDefault: toDefaultStorePath,
  }),
  acceptLoss: toSetting({
    environment: 'BUS_ACCEPT_LOSS',
    flag: '--accept-loss',
    description: 'start although acknowledged messages were lost; new ids and fences begin above them',
    defaultText: 'unset',
    readBy: ['bus'],
    parse: parseSwitch,
    toDefault: () => false,
  }),
  leaseSecondsMax: toSetting({
    environment: 'BUS_MAX_LEASE_SECONDS',
    flag: '--max-lease, --max-lease-seconds <duration>',
    description: 'the longest lease that the bus grants',
    defaultText: toDurationText(limits.leaseSecondsMaxDefault),
    readBy: ['bus'],
    parse: parseWholeSeconds({ min: 1, max: 315_360_000 }),
    toDefault: () => limits.leaseSecondsMaxDefault,
  }),
  allowedHosts: toSetting<readonly string[]>({
    environment: 'BUS_ALLOWED_HOSTS',
    flag: '--allowed-hosts <names>',
    description:
      'host names that requests may use, and origins whose pages may call the bus; put commas between them',
    defaultText: 'loopback names',
    readBy: ['bus'],
    parse: parseHostNames,
    toDefault: () => [],
  }),
  idleExitSeconds: toSetting({
    environment: 'BUS_IDLE_EXIT_S',
    flag: '--idle-exit, --idle-exit-s <duration>',
    description: 'how long a bus that a client started stays without work before it exits',
    defaultText: '30m',
    readBy: ['bus'],
    parse: parseSeconds({ max: 31_536_000 }),
    toDefault: () => 1800,
  }),
  live: toSetting({
    environment: 'BUS_MCP_LIVE',
    description: '1 runs the smoke test against the bus at BUS_MCP_BASE_URL',
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

/**
 * The most important settings for each reader's help, at most five. A command with several readers shows those of
 * the last one.
 */
export const mainSettings: Readonly<Record<Reader, readonly SettingName[]>> = {
  client: ['baseUrl', 'agentId', 'writeSecretFile', 'timeoutSeconds', 'autostart'],
  mcp: ['baseUrl', 'agentId', 'writeSecretFile', 'readOnly', 'toolNames'],
  bus: ['port', 'host', 'store', 'writeSecretFile', 'leaseSecondsMax'],
  data: ['store'],
  tests: [],
};

/** The table, for loops that treat all settings alike. */
export const settingEntries = Object.entries(settings) as readonly (readonly [SettingName, Setting])[];

function toSetting<Value>(
  setting: Omit<Setting<Value>, 'whenMalformed'> & Partial<Pick<Setting<Value>, 'whenMalformed'>>,
): Setting<Value> {
  return { whenMalformed: 'refuse', ...setting };
}
