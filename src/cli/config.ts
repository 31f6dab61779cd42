import { win32 } from 'node:path';
import { isPostgresUrl } from '../contract/location.ts';
import { type Machine, toMachine } from './folders.ts';
import { readSecretFile } from './secret-file.ts';
import { flagNamesOf } from './setting-flags.ts';
import {
  type Reader,
  readerNames,
  type Setting,
  type SettingName,
  type SettingValues,
  settingEntries,
  settings,
} from './settings.ts';
import { isUnexpanded, unexpandedProblem } from './unexpanded.ts';
import { isLoopbackHost, type Parsed } from './values.ts';

/** The value of every setting, and which of them somebody set. */
export type Config = SettingValues & Readonly<{ given: ReadonlySet<SettingName> }>;

/** A command or a setting was used incorrectly. The message is one sentence for the person who typed it. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** What was typed for each setting: the text after its flag, or whether a switch is on. */
export type Flags = Readonly<Partial<Record<SettingName, string | boolean>>>;

/**
 * Reads all settings. A flag wins over the variable, and an empty string counts as unset.
 *
 * Throws `UsageError` for the first malformed value that one of the readers uses. Values that only other readers use
 * stay at their default. So a mistake in the bus's settings does not keep a client from connecting.
 */
export function readConfig(
  given: Readonly<{
    environment: NodeJS.ProcessEnv;
    flags?: Flags;
    readers?: readonly Reader[];
    machine?: Machine;
  }>,
): { config: Config; warnings: readonly string[] } {
  const { environment, flags = {}, readers = ['client', 'mcp', 'bus'] } = given;
  const machine = given.machine ?? toMachine(environment);
  const readings = settingEntries.map(([name, setting]) =>
    readSetting({ name, setting, flag: flags[name], environment, machine }),
  );
  const values = Object.fromEntries(readings.map(({ name, value }) => [name, value])) as SettingValues;
  const names = new Set(readings.filter(({ isGiven }) => isGiven).map(({ name }) => name));
  refuseForeignFlags(flags, readers);
  const autostart = values.autostart && !names.has('baseUrl');
  let config: Config = { ...values, autostart, given: names };
  // A command that may start a bus passes these settings on to it.
  const affected = autostart ? withBus(readers) : readers;
  const told = readings.filter(({ name }) =>
    settings[name].readBy.some((reader) => affected.includes(reader)),
  );
  for (const { refusal } of told) if (refusal !== undefined) throw new UsageError(refusal);
  const warnings = told.flatMap(({ warning }) => warning ?? []);
  if (told.some(({ name }) => name === 'writeSecretFile')) {
    const { secret, warning } = readSecret(config);
    config = { ...config, writeSecret: secret };
    if (warning !== undefined) warnings.push(warning);
  }
  if (affected.includes('bus')) refuseOpenHost(config);
  if (autostart && affected !== readers) refuseRelativeStore(config, readers, flags);
  if (names.has('autostart') && values.autostart && !autostart) warnings.push(autostartWarning);
  return { config, warnings };
}

function withBus(readers: readonly Reader[]): readonly Reader[] {
  return readers.includes('client') || readers.includes('mcp') ? [...readers, 'bus'] : readers;
}

/** A variable is shared by every program in an environment, but a flag is meant for this command. */
function refuseForeignFlags(flags: Flags, readers: readonly Reader[]): void {
  const reached = withBus(readers);
  for (const name of Object.keys(flags) as SettingName[]) {
    const { flag, readBy } = settings[name] as Setting;
    if (readBy.some((reader) => reached.includes(reader))) continue;
    const whose = readBy.map((reader) => readerNames[reader]).join(' and ');
    throw new UsageError(
      `${flagNamesOf({ flag })[0]} is for ${whose} and would change nothing here: leave it out`,
    );
  }
}

type Reading = Readonly<{
  name: SettingName;
  value: unknown;
  isGiven: boolean;
  refusal?: string;
  warning?: string;
}>;

function readSetting(
  asked: Readonly<{
    name: SettingName;
    setting: Setting;
    flag: string | boolean | undefined;
    environment: NodeJS.ProcessEnv;
    machine: Machine;
  }>,
): Reading {
  const { name, setting, flag, machine } = asked;
  const text = flag === undefined ? asked.environment[setting.environment] : toFlagText(flag);
  const standard = { name, value: setting.toDefault(machine), isGiven: false };
  if (text === undefined || (text === '' && flag === undefined)) return standard;
  const parsed = parseSetting(setting, text);
  if ('value' in parsed) return { name, value: parsed.value, isGiven: true };
  const source = flag === undefined ? setting.environment : flagNamesOf(setting)[0];
  const isSecret = setting.isSecret || parsed.isSecret;
  const sentence = `${source} ${parsed.problem}${isSecret ? '' : `, not ${quote(text)}`}`;
  return setting.whenMalformed === 'warn' && flag === undefined
    ? { ...standard, warning: `${sentence}: going on with the default ${setting.defaultText}` }
    : { ...standard, refusal: sentence };
}

function parseSetting(setting: Setting, text: string): Parsed<unknown> {
  if (text === '') return { problem: 'must not be empty' };
  return isUnexpanded(text) ? { problem: unexpandedProblem } : setting.parse(text);
}

/** If the two differ, do not guess which one is meant. */
function readSecret({ writeSecret, writeSecretFile }: SettingValues): { secret?: string; warning?: string } {
  if (writeSecretFile === undefined) return writeSecret === undefined ? {} : { secret: writeSecret };
  if (writeSecret !== undefined) {
    throw new UsageError('BUS_WRITE_SECRET and BUS_WRITE_SECRET_FILE are both set: unset one of them');
  }
  const read = readSecretFile(writeSecretFile);
  if ('refusal' in read) throw new UsageError(read.refusal);
  return read;
}

/**
 * A client starts the bus from whatever folder it runs in, so a relative path would mean a different store each
 * time. Only a person who types the path knows which folder is meant.
 */
function refuseRelativeStore({ given, store }: Config, readers: readonly Reader[], flags: Flags): void {
  const isTyped = flags.store !== undefined && !readers.includes('mcp');
  if (!given.has('store') || isTyped || isPostgresUrl(store)) return;
  if (win32.isAbsolute(store) || store === '~' || store.startsWith('~/')) return;
  const source = flags.store === undefined ? 'BUS_STORE' : '--store';
  throw new UsageError(
    `${source} must be an absolute path or begin with ~/, not ${quote(store)}: a relative path would be another store in each folder that a client runs in`,
  );
}

function refuseOpenHost(config: SettingValues): void {
  if (isLoopbackHost(config.host) || config.writeSecret !== undefined) return;
  throw new UsageError(
    `BUS_HOST ${quote(config.host)} can be reached from other machines, and no BUS_WRITE_SECRET is set: set one, or listen on 127.0.0.1`,
  );
}

const autostartWarning =
  'BUS_MCP_AUTOSTART has no effect, because BUS_MCP_BASE_URL says where the bus is: nothing will be started';

function toFlagText(flag: string | boolean): string {
  if (typeof flag === 'string') return flag;
  return flag ? '1' : '0';
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
